"""`make bench`, or `python -m benchmarks` in the folder code: this package and its peers in one process.

Only ratios of CPU times are printed, from runs that take turns; all of it uses one thread.
"""

import argparse
import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

from benchmarks import ngrams, recurrent
from unrolled.corpora import DataError

BENCHMARKS = {"ngrams": ngrams, "recurrent": recurrent}


def main() -> None:
    """Run the benchmarks and print their report."""
    parser = argparse.ArgumentParser(prog="make bench", description="Speed side by side with peers.")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is run (3)")
    parser.add_argument("--only", choices=BENCHMARKS, help="run one of the benchmarks alone")
    options = parser.parse_args()
    rounds = options.rounds
    if rounds < 1:
        parser.error(f"--rounds has to be at least 1; got {rounds}")
    print("CPU time of the peer over ours, one thread, runs in turns; above 1 we are faster")
    print(f"{'':66} {'lowest':>9} {'median':>9} {'highest':>9}")
    try:
        for name in [options.only] if options.only else BENCHMARKS:
            for line in BENCHMARKS[name].run(rounds):
                print(line, flush=True)
    except DataError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
