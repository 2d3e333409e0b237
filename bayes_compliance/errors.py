"""The one error that means: your input was refused, nothing was written."""


class Refused(ValueError):
    """Bad input. The text holds one problem a line, each ``place: what is wrong; what is allowed``.

    The command line prints those lines without a traceback and ends with exit code 2.
    """
