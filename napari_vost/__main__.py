"""``python -m napari_vost``: the command line."""

import sys

from napari_vost.cli.main import main

sys.exit(main())
