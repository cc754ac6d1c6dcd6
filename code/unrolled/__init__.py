"""Language models and recurrent networks, every equation executed: the shared code of the book Unrolled."""

__version__ = "0.1.0"
