"""`python -m bayes_compliance`."""

import sys

from bayes_compliance.cli import main

sys.exit(main())
