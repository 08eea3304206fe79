"""What stops a training run and is the user's to mend."""


class Refused(Exception):  # noqa: N818
    """Training cannot start or go on; the message is a sentence for whoever started it."""
