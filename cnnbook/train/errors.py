"""What stops a training run and is the user's to mend."""


class Refused(Exception):  # noqa: N818
    """Training cannot start or go on; the message is a sentence for whoever started it."""

    status = 2  # of the command


class Stopped(Refused):
    """Somebody, or a time limit, ended the training."""

    status = 1
