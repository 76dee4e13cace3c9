# SPDX-FileCopyrightText: 2026 lbm_policy contributors
# SPDX-License-Identifier: Apache-2.0
"""What our lifecycle nodes share: a refused transition says why and leaves the state as it was."""

import traceback
from typing import ClassVar

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from .parameters import Config, declare
from .qos_events import look_seldom


class ManagedNode(LifecycleNode):
    """A lifecycle node that fills in ``configure``, ``activate``, ``deactivate`` and ``release``.

    ``Refusals`` names the errors with which configure or activate may refuse (checkpoint, spec, parameters):
    they are logged and handed to ``on_refused``, and the node stays where it was, ready for another try. Any
    other exception is a bug: it is logged with its stack and takes the lifecycle's error path.
    """

    Refusals: ClassVar[tuple[type[Exception], ...]] = (ValueError, OSError)

    def declare(self, config_type: type[Config]) -> Config:
        """Declare the node's parameters; see ``parameters.declare``."""
        return declare(self, config_type)

    def configure(self) -> None:
        """Load what can be refused and create publishers, subscriptions and timers."""

    def activate(self) -> None:
        """Begin to act."""

    def deactivate(self) -> None:
        """Stop acting; leave the robot holding."""

    def release(self) -> None:
        """Undo ``configure``, also after it stopped half-way."""

    def on_refused(self, error: Exception) -> None:
        """Publish why a transition was refused."""

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Configure, or refuse with a reason and stay unconfigured."""
        outcome = self._attempt("configure", state)
        look_seldom(self)
        return outcome

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Activate, or refuse with a reason and stay inactive."""
        return self._attempt("activate", state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop acting."""
        self.deactivate()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release what configure made."""
        self.release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop acting if need be, then release."""
        if state.label == "active":
            self.deactivate()
        self.release()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Fall back to unconfigured after an unexpected error."""
        self.release()
        return super().on_error(state)

    def destroy_node(self) -> None:
        """Release what configure made, threads above all, before the node goes."""
        self.release()
        super().destroy_node()

    def _attempt(self, transition: str, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            getattr(self, transition)()
        except self.Refusals as error:
            self._refuse(transition, error)
            return TransitionCallbackReturn.FAILURE
        except Exception:
            self.get_logger().error(f"{transition} failed:\n{traceback.format_exc()}")
            raise
        return getattr(super(), f"on_{transition}")(state)

    def _refuse(self, transition: str, error: Exception) -> None:
        self.get_logger().error(f"{transition} refused: {error}")
        if transition == "configure":
            self.release()
        self.on_refused(error)
