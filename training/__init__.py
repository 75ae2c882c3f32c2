"""Making a model.

Responsible for the same bytes on any number of cores: BLAS adds up in another order in every number of threads, and NumPy reads this
when it is first imported. On the matrices of a scorecard its threads wait for each other longer than they work.
"""

import os

os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"))
