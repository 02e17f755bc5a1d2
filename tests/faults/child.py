"""A process of the product, as it is run in a fault round: the same program, with traps laid before it starts.

`python -P -m faults.child land`. With FAULTS_MUTANT in the environment the product is also made wrong on purpose.
"""

import os
import sys

from deploy import cli
from faults import mutants, points

MUTANT = "FAULTS_MUTANT"


def main() -> int:
    points.install()
    if name := os.environ.get(MUTANT):
        mutants.PATCHES[name]()
    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
