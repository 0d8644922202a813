"""What can go wrong, by whose fault it is."""


class Error(Exception):
    """Anything that goes wrong in this package; its text is one line."""


class InputError(Error, ValueError):
    """What the caller gave does not fit: a picture of another shape, a network that no engine runs, a file that is no model."""


class PeerError(Error, ValueError):
    """Bytes of the other side are damaged, or belong to another model, key or parameter set."""


class MachineError(Error, RuntimeError):
    """This machine failed: no memory, no instructions of a backend, no random bytes, or a fault of this program."""


class ServiceError(Error, RuntimeError):
    """A service refused a request, or was not reached. ``status`` is that of HTTP, or ``None`` where there was no answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
