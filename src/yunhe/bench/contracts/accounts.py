"""Accounts with balances, for the `transfer` workload: each transfer reads and writes two records."""

from yunhe.contracts import Context, Event, Record, Table, action, emit, require, view

OPENED_AT_ONCE_MAX = 2000


class Account(Record):
    account_id: int
    balance: int


class Transferred(Event):
    source: int
    target: int
    amount: int


accounts: Table[Account] = Table(key="account_id")


@action
def open_accounts(ctx: Context, first: int, count: int, balance: int) -> None:
    require(0 < count <= OPENED_AT_ONCE_MAX, "TOO_MANY")
    for account_id in range(first, first + count):
        accounts.add(Account(account_id=account_id, balance=balance))


@action
def transfer(ctx: Context, source: int, target: int, amount: int) -> None:
    require(amount > 0, "AMOUNT_NOT_POSITIVE")
    require(source != target, "SAME_ACCOUNT")
    payer = accounts[source]
    payee = accounts[target]
    require(payer.balance >= amount, "BALANCE_TOO_LOW")
    payer.balance -= amount
    payee.balance += amount
    accounts.save(payer)
    accounts.save(payee)
    emit(Transferred(source=source, target=target, amount=amount))


@view
def balance(ctx: Context, account_id: int) -> int:
    return accounts[account_id].balance
