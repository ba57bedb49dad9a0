/** The topics of `ckbtc help <topic>`. Source: `docs/spec/cli.md` §§3, 9. */
import type { TopicName } from '../definitions/setup.ts'

/** Lines of at most 79 columns. `errors` has a text of its own around it. */
export const topics: Readonly<Record<Exclude<TopicName, 'errors'>, string>> = {
  amounts: `Amounts

A number without a unit is never money. Every amount has one:

  0.001btc  0.001ckbtc  100000sat  100_000 sat

btc and ckbtc are the same size, so either word may be used everywhere. Capital
letters do not matter, underscores may separate digits, the unit may be the next
word. Commas, signs and exponents are refused; the smallest unit is 1 sat. Where
it says so, the word "all" stands for everything there is.

Whatever is printed can be pasted back: 0.00100000 ckBTC, 100000 sat. --unit
chooses btc or sat for tables. There is no setting that adds a unit.

With --token XYZ, for another token of the local subnet, the only unit is XYZ,
with its decimals: 1.5xyz.

Other quantities have units, too:

  durations    30s, 10m, 2h, 7d
  fee rates    12satvb, 1.5satvb
  percentages  5%
  subaccounts  7, or 0x and up to 64 hexadecimal digits
  counts       3`,

  accounts: `Accounts and addresses

An account holds ckBTC. It is a principal, or a principal with a subaccount:

  k2t6j-2nvnp-…-6ae               the default account of a principal
  k2t6j-2nvnp-…-6ae-<checksum>.7  one with a subaccount

A Bitcoin address holds BTC: bc1…, tb1… or bcrt1…, by the network. One is never
taken for the other: ckBTC is sent to accounts (transfer), BTC to addresses
(redeem).

Each account has one deposit address, for good (ckbtc address). It is derived on
this machine from the network's public key and compared with what the minter
says; where they differ, everything stops.

On the local network dev0 to dev4 are accounts with keys that everybody knows.`,

  waiting: `Waiting

deposit and redeem wait until they are done. Ctrl-C ends the wait and loses
nothing: whatever moves value is an operation with an id, written to disk before
it is sent.

  ckbtc status                  all open operations
  ckbtc status <op>             where one is
  ckbtc status <op> --wait      keep watching
  ckbtc resume <op>             go on with one that waits for you

--no-wait returns as soon as leaving is safe. --timeout 10m ends the wait after
that time, with exit status 6. status never spends; resume shows what it will
spend and asks.

A redemption says what it waits for: its turn, coins of the minter, lower fees,
signatures, blocks. When no block takes it, the minter sends it again with more
fee, which redeem and status tell of, and you need not act. One that cannot be
paid is given back.

--progress json writes signs of life as JSON lines on standard error.`,

  json: `JSON

With --json, standard output is exactly one JSON document on one line, for
success and for failure; the exit status is the same as without it.

  {"schema":"ckbtc.balance.v1","ok":true,"network":"local","data":{…},
   "warnings":[{"code":"…","message":"…"}]}
  {"schema":"ckbtc.error.v1","ok":false,"network":"local","error":{"code":"…",
   "exit":7,"message":"…","hint":"…","retry":"…","op":null,"details":{…}},
   "warnings":[]}

Amounts are integers in satoshi, their names end in _sat. Nanoseconds are text,
names end in _ns; other times are RFC 3339, names end in _at. Bytes are lower-case
hexadecimal; transaction ids have the order of explorers. What does not exist is
null. Fields may be added; a removed or changed one means a new .vN.

--json never implies --yes. --quiet removes notes from standard error.`,

  'exit-codes': `Exit status

    0  done; also: nothing to list, already done
    2  the command line is wrong, or an amount, address or account in it
    3  declined, or consent was needed and nobody could be asked
    4  no key, a locked one, a wrong passphrase, a file that cannot be read
    5  the network could not be reached, and nothing had been sent
    6  the wait ended and the operation goes on: ckbtc status
    7  ledger, minter or Bitcoin said no
    8  a check ran, and the answer is no
    9  something was sent and the answer did not come back: ckbtc status <op>
   10  a safety rail stopped it before anything was sent
   11  this machine: no subnet, a taken port, a locked or broken file
   70  a bug of ckbtc; nothing further was attempted
  130  Ctrl-C; 143 when the system asked the program to end

A script may run the command again after 5. After 9 never blindly: look first.
Every error has a code, too: ckbtc help errors.`,

  environment: `Files and environment

The first that is set holds: option, variable, .ckbtc.json of the project (found
upward from here), your configuration (ckbtc config list), default.

  CKBTC_NETWORK, CKBTC_KEY, CKBTC_UNIT, CKBTC_TIMEOUT, CKBTC_BITCOIN_SOURCE
                         in place of the options of that name
  CKBTC_HOME             one directory for everything
  CKBTC_URL              another way to the local subnet
  CKBTC_PASSPHRASE_FILE  holds the passphrase of the key
  CKBTC_PASSPHRASE       the passphrase; never where real funds are
  CKBTC_NO_INPUT         never ask
  CKBTC_COLOR, NO_COLOR, FORCE_COLOR, TERM, CI, PAGER, COLUMNS

Configuration lies in ~/.config/ckbtc, keys and networks in ~/.local/share/ckbtc,
operations, logs and the local subnet in ~/.local/state/ckbtc, what can be
deleted at any time in ~/.cache/ckbtc; XDG_… variables move them.

A project may set network, unit, min_confirmations, and for its subnet nodes,
port, block_time, fee_rate, auto_mint, ids and set. It names no keys and no
limits:

  { "network": "local", "min_confirmations": 1, "subnet": { "nodes": 4 } }`,

  networks: `Networks

  local     the subnet on this machine (ckbtc subnet start); the default
  testnet4  ckTESTBTC on the Internet Computer; coins without value
  ic        ckBTC on the Internet Computer; real funds

Chosen with -n, CKBTC_NETWORK, or ckbtc config set network <name>. Others are
added with ckbtc network add.

ic and testnet4 have a pinned root key that is never fetched. What governance can
change (confirmations, minimums, fees) is read from the minter when it is needed.

Where funds are real, the network is named first on standard error, what moves
value asks, and rails hold: a fee cap, an optional spend limit, keys under a
passphrase, the deposit address computed here and compared.`,

  keys: `Keys

A key is a file under a passphrase; it signs what moves ckBTC. Its principal is
the account that others pay to.

  ckbtc key generate savings           a new phrase, shown once
  ckbtc key import savings --phrase    or a PEM file of dfx, quill, icp-cli
  ckbtc key list, show, use, rename, passwd, export, delete
  ckbtc key unlock --for 15m           ask for the passphrase once

Selected by -k, CKBTC_KEY, ckbtc config set key, the default key; on local dev0.

The passphrase is asked for, or read from --passphrase-file (- is standard input)
or CKBTC_PASSPHRASE_FILE. No option takes a secret as its value. A command that
needs no key unlocks none.`,

  trust: `What is trusted

Answers of a network count when its subnet signed them: a threshold of its nodes,
under a root key that is pinned or was given. Query answers are signed by one
node, whose key is certified.

Deposit addresses are derived on this machine from the network's public key, so
the minter need not be believed about them.

verify-reserves recomputes whether every ckBTC is backed, and lists what had to
be believed for it: proved, own-node, or server-said. With --bitcoin-source you
choose who is asked about Bitcoin; peers with compact filters prove the most. It
cannot show that fewer nodes than the threshold are unable to sign; no outside
view can.

On a local subnet all nodes are on this machine: its key is no secret from whoever
controls it. It is for development, tests, teaching and research.`,

  scripting: `Scripting

  ckbtc balance --json               one document, see ckbtc help json
  ckbtc transfer 1000sat --to … --yes
  ckbtc subnet exec -- npm test      a subnet for the life of one command

Prompts appear on a terminal only. Where one would be needed and is impossible,
the command stops before doing anything, with status 3, 4 or 2, and names the
option that answers it. --no-input and CI have the same effect on a terminal.

--yes gives consent; large amounts need --confirm-amount, and no option lifts the
fee cap or lets an open key sign for real funds.

--idempotency-key <text> on what moves value makes repeating it safe: the same
text is the same operation.

--quiet prints the essential value only, --plain rows of tabs with one header.`,
}
