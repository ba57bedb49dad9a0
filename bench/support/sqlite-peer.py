"""The peer of the durable rows: a ledger in SQLite (WAL, FULL) that does the same work.

Source: performance specification 7 G2. Arguments: directory, transactions, transfers in each.
Prints the microseconds of one transaction, measured inside, its commit included.
"""

import hashlib
import os
import sqlite3
import sys
import time

ACCOUNTS = 1_000
BLOCK_BYTES = 200  # As much as a stored block takes.

directory, transactions, transfers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
path = os.path.join(directory, f"peer-{os.getpid()}.db")
db = sqlite3.connect(path, isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute("CREATE TABLE balances (account BLOB PRIMARY KEY, amount INTEGER) WITHOUT ROWID")
db.execute("CREATE TABLE blocks (id INTEGER PRIMARY KEY, block BLOB)")
db.execute("CREATE TABLE remembered (hash BLOB PRIMARY KEY, id INTEGER) WITHOUT ROWID")
accounts = [hashlib.sha224(str(i).encode()).digest() + b"\x02" for i in range(ACCOUNTS)]
db.execute("BEGIN")
db.executemany("INSERT INTO balances VALUES (?, 1000000000)", [(a,) for a in accounts])
db.execute("COMMIT")

tip = bytes(32)
index = 0
start = time.perf_counter()
for _ in range(transactions):
    db.execute("BEGIN")
    for _ in range(transfers):
        payer, payee = accounts[index % ACCOUNTS], accounts[(7 * index + 1) % ACCOUNTS]
        amount = 1 + index % 1_000
        name = hashlib.sha256(payer + payee + amount.to_bytes(8, "big") + index.to_bytes(8, "big"))
        known = db.execute("SELECT id FROM remembered WHERE hash = ?", (name.digest(),)).fetchone()
        (balance,) = db.execute("SELECT amount FROM balances WHERE account = ?", (payer,)).fetchone()
        if known is not None or balance < amount:
            sys.exit("a covered transfer is made")
        pay = "UPDATE balances SET amount = amount + ? WHERE account = ?"
        db.execute(pay, (-amount, payer))
        db.execute(pay, (amount, payee))
        block = tip + name.digest() + bytes(BLOCK_BYTES - 64)
        db.execute("INSERT INTO blocks VALUES (?, ?)", (index, block))
        db.execute("INSERT INTO remembered VALUES (?, ?)", (name.digest(), index))
        tip = hashlib.sha256(block).digest()
        index += 1
    db.execute("COMMIT")
print((time.perf_counter() - start) * 1e6 / transactions)
db.close()
for suffix in ("", "-wal", "-shm"):
    if os.path.exists(path + suffix):
        os.remove(path + suffix)
