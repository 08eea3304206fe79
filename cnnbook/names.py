"""What to say of a name that nobody knows."""

import difflib
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a sentence on an unknown name: those that look like it, or all there are.

    Examples:
        >>> suggestion("resnet-50", ["resnet50", "vgg16"])
        'did you mean resnet50?'
        >>> suggestion("?", ["resnet50", "vgg16"])
        'known: resnet50, vgg16.'
    """
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}."
