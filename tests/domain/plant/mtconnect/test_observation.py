import pytest

from domain.plant.mtconnect import Role, Roles, roles_of
from domain.plant.mtconnect.observation import KEY_LIMIT


def test_the_words_of_the_settings_name_roles() -> None:
    assert roles_of({"run": "execution", "x": "ignored"}) == {"run": Role.EXECUTION, "x": Role.IGNORED}


def test_a_word_that_is_no_role_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"run: 'exec' is not one of execution, .*ignored"):
        roles_of({"run": "exec"})


def test_a_setting_for_the_whole_key_goes_before_one_for_its_name() -> None:
    roles = Roles({"mill:run": Role.EXECUTION, "run": Role.VALUE})
    assert (roles.of("mill:run"), roles.of("lathe:run")) == (Role.EXECUTION, Role.VALUE)


def test_what_is_remembered_of_keys_is_bounded_and_roles_stay_right_beyond() -> None:
    roles = Roles()
    for number in range(KEY_LIMIT + 10):
        roles.of(f"key{number}")
    assert roles.of("execution") is Role.EXECUTION
