"""Makes the goldens: what PyTorch says that each op gives, and what its gradients are.

    python3 -m venv venv && venv/bin/pip install torch numpy      # any recent version, CPU is enough
    venv/bin/python tests/goldens/make.py

writes tests/goldens/*.json, which `tests/goldens.rs` reads; running the tests needs no Python. Running this script again
gives the same bytes. The rooms: `record.py` says what a case is and how numbers are rounded and written; `elementwise.py`,
`structure.py`, `nn.py`, `dtypes.py` and `beyond.py` hold the cases.

Where PyTorch and the library differ on purpose, the case follows the library and says so in a comment beside it: max_pool2d
shares the gradient among ties, argmax takes the first of them, sums of small integers have at least 32 bits.
"""

import torch

import beyond
import dtypes
import elementwise
import nn
import structure

torch.set_num_threads(1)  # sums in one order, whatever the machine
torch.use_deterministic_algorithms(True)

TOPICS = [
    elementwise.unary,
    elementwise.binary,
    structure.reduce,
    structure.movement,
    structure.indexing,
    structure.creation,
    nn.processing,
    nn.functional,
    nn.optimizers,
    nn.models,
    dtypes.dtypes,
    beyond.beyond,
]

if __name__ == "__main__":
    for topic in TOPICS:
        topic().write()
