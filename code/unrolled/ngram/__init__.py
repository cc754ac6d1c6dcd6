"""n-gram language models: counting, smoothing, looking up, and the ARPA file format.

counts      counts of all n-grams up to an order
smoothing   the ladder from relative frequencies to modified Kneser-Ney
trie        finding n-grams, a whole text at once
arpa        reading and writing the ARPA format
model       the model that ties them together
"""

from unrolled.ngram.arpa import ArpaError
from unrolled.ngram.model import SMOOTHINGS, NgramModel

__all__ = ["SMOOTHINGS", "ArpaError", "NgramModel"]
