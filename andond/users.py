"""``andond user``: the local users of a gateway, kept in its data directory.

Rules of this file:

* It works on the file, whether a daemon runs or not; a daemon that runs takes it up within a second.
* A password comes from a prompt, a file or standard input, never from the command line, which others can read. One that
  is made here is shown once and kept nowhere.
* Exit codes: 0 done, 1 not done, 66 there is nowhere to keep users, 78 the settings are wrong.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from andond.audited import from_console
from andond.checks import EX_CONFIG, directory_of, settings_of
from config import Settings, rules
from domain import JsonValue, rfc3339
from domain.access import EVERY_TENANT, ROLES, User, Why, email_fault, name_fault, role_name, weakness
from storage import PasswordsMissing, StorageError, Taken, Users, hashed_password

FAILED = 1

STANDARD_INPUT = "-"

_ID_SIZE = 16
_LOOKS = frozenset({"list", "show"})
_PASSWORD_SIZE = 15
_PASSWORD_FILE_LIMIT = 64 * 1024


class Refusal(Exception):
    """It is not done; the message says why, and what mends it."""


def add_arguments(grammar: ArgumentParser) -> None:
    """Describe the command line."""
    acts = grammar.add_subparsers(dest="act", metavar="ACT", required=True)
    for name, (meaning, arguments, _) in ACTS.items():
        # An option may not be shortened: --password would be --password-file, and its value be shown as a name.
        act = acts.add_parser(name, help=meaning, description=f"{meaning[0].upper()}{meaning[1:]}.", allow_abbrev=False)
        act.add_argument("-c", "--config", metavar="FILE", help="the configuration whose storage.path has the users")
        act.add_argument("--data-dir", metavar="DIR", help="where the users are, in place of storage.path")
        arguments(act)


def main(options: Namespace) -> int:
    """Do one act; the exit code."""
    settings = settings_of(options)
    if settings is None:
        return EX_CONFIG
    directory = directory_of(settings)
    if directory is None:
        return os.EX_NOINPUT
    _, _, act = ACTS[options.act]
    try:
        users = Users.open(directory)
        try:
            before = _noted(users, options)
            act(users, options, settings)
            if options.act not in _LOOKS:
                from_console(directory, f"user.{options.act}", options.name, before, _noted(users, options))
        finally:
            users.close()
    except (Refusal, StorageError, Taken, PasswordsMissing) as error:
        print(f"andond: {error}", file=sys.stderr)
        return FAILED
    return 0


def _noted(users: Users, options: Namespace) -> JsonValue:
    """The user who is meant, as the audit is told of it; nothing of its password but when that was changed."""
    name = getattr(options, "name", None)
    found = None if name is None else users.find(name)
    return None if found is None else _document(users, found.user)


# -- what can be done ---------------------------------------------------------------------------------------


def _add(users: Users, options: Namespace, settings: Settings) -> None:
    fault = name_fault(options.name) or email_fault(options.email or "")
    if fault:
        raise Refusal(fault)
    if users.find(options.name) is not None:
        raise Refusal(f"there is a user {options.name} already")
    at = time.time()
    made = User(id=secrets.token_hex(_ID_SIZE), name=options.name, roles=(), created_at=at, password_at=at)
    user = _changed(made, options, settings, at)
    password = _password(options, user, settings)
    users.add(user, hashed_password(password))
    print(f"{user.name} is a user now: {_words(user)}")
    _show_made(options, password)
    _doubt(user, settings)


def _list(users: Users, options: Namespace, _settings: Settings) -> None:
    known = users.all()
    if options.json:
        print(json.dumps([_document(users, user) for user in known], indent=2))
    else:
        print("\n".join(_rows(users, known)) if known else "there are no users: andond user add NAME --role ROLE")


def _show(users: Users, options: Namespace, _settings: Settings) -> None:
    document = _document(users, _found(users, options.name))
    if options.json:
        print(json.dumps(document, indent=2))
    else:
        width = max(map(len, document))
        print("\n".join(f"{name:<{width}}  {_text(value)}" for name, value in document.items()))


def _change(users: Users, options: Namespace, settings: Settings) -> None:
    fault = email_fault(options.email or "")
    if fault:
        raise Refusal(fault)
    user = _changed(_found(users, options.name), options, settings, time.time())
    users.change(user, Why.CHANGED)
    print(f"{user.name}: {_words(user)}")
    _doubt(user, settings)


def _roles(users: Users, options: Namespace, settings: Settings) -> None:
    user = _found(users, options.name)
    users.change(replace(user, roles=_known(options.roles, settings), changed_at=time.time()), Why.CHANGED)
    print(f"{user.name}: {_words(_found(users, options.name))}")


def _set_password(users: Users, options: Namespace, settings: Settings) -> None:
    user = _found(users, options.name)
    password = _password(options, user, settings)
    users.set_password(user.id, hashed_password(password), time.time())
    print(f"{user.name} has a new password, and is logged out everywhere")
    _show_made(options, password)


def _lock(users: Users, options: Namespace, _settings: Settings) -> None:
    user = _found(users, options.name)
    users.change(replace(user, is_active=False, changed_at=time.time()), Why.LOCKED)
    print(f"{user.name} cannot log in any more, and is logged out everywhere")


def _unlock(users: Users, options: Namespace, _settings: Settings) -> None:
    user = _found(users, options.name)
    users.change(replace(user, is_active=True, changed_at=time.time()))
    print(f"{user.name} can log in; a daemon that runs forgets within a second what was guessed for the name")


def _log_out(users: Users, options: Namespace, _settings: Settings) -> None:
    user = _found(users, options.name)
    users.end_all(user.id, Why.EVERYWHERE, time.time())
    print(f"{user.name} is logged out everywhere")


def _remove(users: Users, options: Namespace, _settings: Settings) -> None:
    user = _found(users, options.name)
    users.remove(user.id, time.time())
    print(f"{user.name} is no user any more")


# -- what is said -------------------------------------------------------------------------------------------


def _changed(user: User, options: Namespace, settings: Settings, at: float) -> User:
    """``user`` with what the command line says of it."""
    if options.place is not None:
        for place in options.place:
            if rules.named_equipment(place) is not None:
                raise Refusal(f"{place!r} is no place: an ISA-95 path such as acme/plant1/line3")
    tenant = options.tenant
    if tenant and tenant != EVERY_TENANT and tenant not in settings.access.tenants:
        known = ", ".join(settings.access.tenants) or "none"
        raise Refusal(f"there is no tenant {tenant!r}; configured are: {known}")
    return replace(
        user,
        roles=user.roles if options.role is None else _known(options.role, settings),
        email=user.email if options.email is None else options.email,
        tenant=user.tenant if tenant is None else tenant,
        places=user.places if options.place is None else tuple(dict.fromkeys(options.place)),
        department=user.department if options.department is None else options.department,
        shift=user.shift if options.shift is None else options.shift,
        changed_at=at,
    )


def _known(roles: list[str], settings: Settings) -> tuple[str, ...]:
    there_are = {role_name(name): None for name in (*ROLES, *settings.access.roles)}
    unknown = [role for role in roles if role_name(role) not in there_are]
    if unknown:
        raise Refusal(f"there is no role {unknown[0]!r}; there are: {', '.join(there_are)}")
    return tuple(dict.fromkeys(map(role_name, roles)))


def _password(options: Namespace, user: User, settings: Settings) -> str:
    """The password that is wanted for ``user``.

    Raises:
        Refusal: if it is too weak, or there is no way to say it.
    """
    if options.generate:
        return secrets.token_urlsafe(_PASSWORD_SIZE)
    password = _prompted(user.name) if options.password_file is None else _read(options.password_file)
    fault = weakness(password, user.name, user.email, settings.access.users.password_length)
    if fault:
        raise Refusal(f"{fault}; --generate makes one")
    return password


def _prompted(name: str) -> str:
    if not sys.stdin.isatty():
        raise Refusal("there is nobody to ask for a password: --password-file FILE (- is standard input) or --generate")
    password = getpass.getpass(f"Password for {name}: ")
    if getpass.getpass("The same again: ") != password:
        raise Refusal("the two are not the same")
    return password


def _read(name: str) -> str:
    try:
        if name == STANDARD_INPUT:
            text = sys.stdin.read(_PASSWORD_FILE_LIMIT)
        else:
            with Path(name).open(encoding="utf-8") as file:
                text = file.read(_PASSWORD_FILE_LIMIT)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Refusal(f"cannot read the password from {name}: {reason}") from None
    return text.rstrip("\r\n")


def _show_made(options: Namespace, password: str) -> None:
    if options.generate:
        print(f"password: {password}\n(it is kept nowhere and will not be shown again)")


def _doubt(user: User, settings: Settings) -> None:
    if user.places:
        from andond.doubts import place_doubts  # noqa: PLC0415 - whoever names no place pays for no actor

        for doubt in place_doubts(settings, user.places):
            print(f"warning: {doubt}", file=sys.stderr)
    if settings.access.tenants and not user.tenant:
        print(f"warning: {user.name} is of no tenant and sees nothing: --tenant NAME", file=sys.stderr)
    if not user.roles:
        print(f"warning: {user.name} has no role and may do nothing: andond user roles NAME ROLE", file=sys.stderr)


def _found(users: Users, name: str) -> User:
    found = users.find(name)
    if found is None:
        raise Refusal(f"there is no user {name!r}")
    return found.user


def _words(user: User) -> str:
    said = [", ".join(user.roles) or "no role"]
    said += [f"tenant {user.tenant}"] if user.tenant else []
    said += [f"own: {', '.join(user.places)}"] if user.places else []
    return "; ".join(said)


def _rows(users: Users, known: tuple[User, ...]) -> Iterator[str]:
    width = max(len(user.name) for user in known)
    for user in known:
        state = "" if user.is_active else "  LOCKED"
        logins = len(users.families(user.id))
        yield f"{user.name:<{width}}  {_words(user)}{f'  {logins} logged in' if logins else ''}{state}"


def _document(users: Users, user: User) -> dict[str, JsonValue]:
    return {
        "name": user.name,
        "id": user.id,
        "email": user.email,
        "roles": list(user.roles),
        "tenant": user.tenant,
        "places": list(user.places),
        "department": user.department,
        "shift": user.shift,
        "active": user.is_active,
        "created": rfc3339(user.created_at),
        "changed": rfc3339(user.changed_at),
        "password_changed": rfc3339(user.password_at),
        "logins": [
            {"began": rfc3339(each.began_at), "renewed": rfc3339(each.renewed_at), "from": each.host, "by": each.door}
            for each in users.families(user.id)
        ],
    }


def _text(value: JsonValue) -> str:
    if isinstance(value, list):
        return "; ".join(
            ", ".join(map(str, each.values())) if isinstance(each, Mapping) else str(each) for each in value
        )
    return str(value)


# -- the command line ---------------------------------------------------------------------------------------


def _name(act: ArgumentParser) -> None:
    act.add_argument("name", metavar="NAME", help="the user's name")


def _as_json(act: ArgumentParser) -> None:
    act.add_argument("--json", action="store_true", help="print it as JSON")


def _named_as_json(act: ArgumentParser) -> None:
    _name(act)
    _as_json(act)


def _who(act: ArgumentParser) -> None:
    _name(act)
    act.add_argument("--role", metavar="ROLE", action="append", help="what the user may do; may be said again")
    act.add_argument("--tenant", metavar="TENANT", help="whose user it is; * is all tenants")
    act.add_argument("--place", metavar="PATH", action="append", help="a place of its own; may be said again")
    act.add_argument("--email", metavar="ADDRESS", help="by which it can log in too")
    act.add_argument("--department", metavar="NAME", help="shown by the floor's clients")
    act.add_argument("--shift", metavar="NAME", help="shown by the floor's clients")


def _its_password(act: ArgumentParser) -> None:
    way = act.add_mutually_exclusive_group()
    way.add_argument("--password-file", metavar="FILE", help="where the password is; - is standard input")
    way.add_argument("--generate", action="store_true", help="make a password and show it once")


def _new(act: ArgumentParser) -> None:
    _who(act)
    _its_password(act)


def _with_password(act: ArgumentParser) -> None:
    _name(act)
    _its_password(act)


def _with_roles(act: ArgumentParser) -> None:
    _name(act)
    act.add_argument("roles", metavar="ROLE", nargs="+", help="what the user may do, in place of what it might")


Arguments = Callable[[ArgumentParser], None]
Act = Callable[[Users, Namespace, Settings], None]

ACTS: Mapping[str, tuple[str, Arguments, Act]] = {
    "add": ("add a user", _new, _add),
    "list": ("list all users", _as_json, _list),
    "show": ("show what is known of a user, and where it is logged in", _named_as_json, _show),
    "change": ("change what is known of a user", _who, _change),
    "roles": ("give a user other roles", _with_roles, _roles),
    "password": ("give a user another password", _with_password, _set_password),
    "lock": ("let a user log in no more, and log it out", _name, _lock),
    "unlock": ("let a user log in again", _name, _unlock),
    "logout": ("log a user out everywhere", _name, _log_out),
    "remove": ("remove a user", _name, _remove),
}
