# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""The network of pi0 and pi0.5: SigLIP, Gemma, and how both experts attend jointly."""
