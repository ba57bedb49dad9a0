"""Bitcoin Core's own validation, as `py-bitcoinkernel` ships it: judges blocks of regtest.

A line of hexadecimal is a block; the answer is a line of JSON: the height and hash of the best block, and what Core has
against this one, if anything.
"""

import json
import logging
import sys
import tempfile

import pbk

words: list[str] = []
verdicts: list[str] = []


class Words(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        words.append(record.getMessage())


def checked(_user_data: object, _block: pbk.Block, state: pbk.BlockValidationState) -> None:
    if state.validation_mode != pbk.ValidationMode.VALID:
        verdicts.append(state.block_validation_result.name)


logger = logging.getLogger("bitcoinkernel")
logger.setLevel(logging.DEBUG)
logger.addHandler(Words())
logger.propagate = False
viewer = pbk.KernelLogViewer("bitcoinkernel", [pbk.LogCategory.VALIDATION])

options = pbk.ContextOptions()
options.set_chainparams(pbk.ChainParameters(pbk.ChainType.REGTEST))
callbacks = pbk.ValidationInterfaceCallbacks(block_checked=checked)
options.set_validation_interface(callbacks)
context = pbk.Context(options)

with tempfile.TemporaryDirectory() as folder:
    manager_options = pbk.ChainstateManagerOptions(context, folder, folder + "/blocks")
    manager_options.update_block_tree_db_in_memory(True)
    manager_options.update_chainstate_db_in_memory(True)
    manager = pbk.ChainstateManager(manager_options)
    for line in sys.stdin:
        words.clear()
        verdicts.clear()
        try:
            manager.process_block(pbk.Block(bytes.fromhex(line.strip())))
            failed = False
        except Exception:
            failed = True
        chain = manager.get_active_chain()
        tip = chain.block_tree_entries[chain.height]
        answer = {
            "height": tip.height,
            "hash": str(tip.block_hash),
            "verdict": verdicts[0] if verdicts else "REFUSED" if failed else None,
            "words": words,
        }
        print(json.dumps(answer), flush=True)
