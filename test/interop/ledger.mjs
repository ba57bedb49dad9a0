/** The ledger's interface as far as the clients use it, and two methods that it does not have. */

export const ledgerIdl = ({ IDL }) => {
  const account = IDL.Record({ owner: IDL.Principal, subaccount: IDL.Opt(IDL.Vec(IDL.Nat8)) })
  const transfer = IDL.Record({
    to: account,
    amount: IDL.Nat,
    from_subaccount: IDL.Opt(IDL.Vec(IDL.Nat8)),
    fee: IDL.Opt(IDL.Nat),
    memo: IDL.Opt(IDL.Vec(IDL.Nat8)),
    created_at_time: IDL.Opt(IDL.Nat64),
  })
  const error = IDL.Variant({
    InsufficientFunds: IDL.Record({ balance: IDL.Nat }),
    BadFee: IDL.Record({ expected_fee: IDL.Nat }),
    BadBurn: IDL.Record({ min_burn_amount: IDL.Nat }),
    Duplicate: IDL.Record({ duplicate_of: IDL.Nat }),
    TooOld: IDL.Null,
    CreatedInFuture: IDL.Record({ ledger_time: IDL.Nat64 }),
    TemporarilyUnavailable: IDL.Null,
    GenericError: IDL.Record({ message: IDL.Text, error_code: IDL.Nat }),
  })
  return IDL.Service({
    icrc1_balance_of: IDL.Func([account], [IDL.Nat], ['query']),
    icrc1_transfer: IDL.Func([transfer], [IDL.Variant({ Ok: IDL.Nat, Err: error })], []),
    no_call: IDL.Func([], [], []),
    no_query: IDL.Func([], [], ['query']),
  })
}

export const account = (owner) => ({ owner, subaccount: [] })

export const transfer = (owner, amount) => ({
  to: account(owner),
  amount,
  from_subaccount: [],
  fee: [],
  memo: [],
  created_at_time: [],
})

/** The words of a failure. */
export const wordsOf = (failing) =>
  failing.then(
    () => 'it did not fail',
    (error) => error.message,
  )

const encoder = new TextEncoder()
/** Candid of no arguments. */
export const noArguments = encoder.encode('DIDL\0\0')
export const label = (text) => encoder.encode(text)
