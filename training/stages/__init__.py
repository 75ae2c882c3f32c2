"""One module per DVC stage that makes a model."""

import sys

from feature_repo.errors import say_interrupted

sys.excepthook = say_interrupted
