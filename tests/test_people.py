"""Who is who: nobody makes themselves a clearer alone, and a token is never kept."""

import pytest
from sqlalchemy import text

from outreach import people
from outreach.config import read_configuration
from outreach.errors import NotAllowed, NotFound
from outreach.store.base import Base
from tests.conftest import PEOPLE_TOML, Office

CY_MAY_CLEAR = PEOPLE_TOML.replace('["guest"]', '["clearer"]')


@pytest.fixture
def desk(office: Office):
    return office.open()


def edited(office: Office, toml: str):
    """The desk after config/people.toml was written anew."""
    office.write("config/people.toml", toml)
    return office.open()


def roles(desk, name: str) -> set[str]:
    return set(desk.person(name).roles)


class TestConfirming:
    def test_an_edit_of_the_file_alone_gives_nobody_a_role(self, office, desk):
        desk = edited(office, CY_MAY_CLEAR)
        assert roles(desk, "cy") == {"guest"}
        assert "two people confirm it" in desk.status().roster

    def test_two_different_people_put_it_in_force(self, office, desk):
        desk = edited(office, CY_MAY_CLEAR)
        assert desk.confirm_people(by="ana") is False
        assert roles(desk, "cy") == {"guest"}
        assert desk.confirm_people(by="bo") is True
        assert roles(desk, "cy") == {"clearer"}
        assert desk.status().roster == ""

    def test_one_person_twice_is_one_person(self, office, desk):
        desk = edited(office, CY_MAY_CLEAR)
        desk.confirm_people(by="ana")
        with pytest.raises(NotAllowed, match="ana has confirmed it already") as refused:
            desk.confirm_people(by="ana")
        assert refused.value.hint == "a second person confirms it: outreach people confirm"
        assert roles(desk, "cy") == {"guest"}

    def test_a_yes_is_to_the_file_as_it_was(self, office, desk):
        desk = edited(office, CY_MAY_CLEAR)
        desk.confirm_people(by="ana")
        desk = edited(office, PEOPLE_TOML.replace('["guest"]', '["administrator"]'))
        assert desk.confirm_people(by="bo") is False  # ana's was to another one
        assert roles(desk, "cy") == {"guest"}

    def test_somebody_who_is_only_in_the_new_file_has_no_say_in_it(self, office, desk):
        new = PEOPLE_TOML + '[di]\nname = "Di Example"\nroles = ["administrator"]\n'
        desk = edited(office, new)
        with pytest.raises(NotFound, match="there is no person 'di' in force") as refused:
            desk.confirm_people(by="di")
        assert refused.value.hint == "known are: ana, bo, cy"

    def test_a_guest_confirms_nothing(self, office, desk):
        desk = edited(office, CY_MAY_CLEAR)
        with pytest.raises(NotAllowed, match="Cy Example may not do this: it needs the role"):
            desk.confirm_people(by="cy")

    def test_what_is_in_force_needs_no_confirming(self, desk):
        with pytest.raises(NotAllowed, match="in force as it is"):
            desk.confirm_people(by="ana")

    def test_each_confirmation_stands_in_the_trail(self, office, desk):
        desk = edited(office, CY_MAY_CLEAR)
        desk.confirm_people(by="ana")
        desk.confirm_people(by="bo")
        assert [(who, what.strip()) for _, who, what, _ in desk.trail()][-3:] == [
            ("ana", "people confirmed"),
            ("bo", "people confirmed"),
            ("bo", "people in force"),
        ]
        assert [why for *_, why in desk.trail()][-1] == "confirmed by ana and bo"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("Cy Example", "Cyr Example"),
            ("cy@", "cyr@"),
            ('"guest"', '"reviewer"'),
            ("[cy]", "[x]"),
        ],
    )
    def test_anything_that_is_said_of_a_person_is_confirmed(self, office, desk, old, new):
        assert edited(office, PEOPLE_TOML.replace(old, new)).status().roster != ""


class TestTheFirstTwo:
    @pytest.fixture
    def store(self, office: Office):
        from outreach.store import Store

        store = Store(read_configuration(office.home).database)
        store.prepare()
        yield store
        store.close()

    ROSTER = {  # noqa: RUF012 - read only
        name: {"name": name, "email": "", "roles": ["clearer", "officer"]} for name in ("ana", "bo")
    }

    def confirm(self, store, office, by):
        with store.writing() as session:
            return people.confirm(session, self.ROSTER, by=by, now=office.clock(), first=True)

    def test_they_confirm_each_other_and_before_that_nobody_is_in_force(self, store, office):
        self.confirm(store, office, "ana")
        with store.reading() as session:
            assert people.in_force(session) == {}
        self.confirm(store, office, "bo")
        with store.reading() as session:
            assert sorted(people.in_force(session)) == ["ana", "bo"]

    def test_one_person_is_no_two(self, store, office):
        self.confirm(store, office, "ana")
        with pytest.raises(NotAllowed, match="confirmed it already"):
            self.confirm(store, office, "ana")

    def test_a_stranger_is_none_of_them(self, store, office):
        with pytest.raises(NotFound, match="no person 'eve' in config/people.toml"):
            self.confirm(store, office, "eve")

    def test_an_office_is_made_once(self, office, desk):
        desk = edited(office, CY_MAY_CLEAR)
        with pytest.raises(NotAllowed, match="the office has its people"):
            desk.confirm_people(by="cy", first=True)


class TestTokens:
    def test_a_token_says_who_acts(self, desk):
        assert desk.whose(desk.token_for("bo", by=None)).id == "bo"

    def test_it_is_kept_as_a_hash_only(self, desk, office):
        token = desk.token_for("bo", by=None)
        with desk.store.reading() as session:
            tables = Base.metadata.sorted_tables
            kept = "".join(repr(session.execute(one.select()).all()) for one in tables).encode()
        if desk.store.embedded:
            with desk.store.engine.connect() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            kept += b"".join(path.read_bytes() for path in (office.home / "data").iterdir())
        assert b"bo@example.org" in kept
        assert token.encode() not in kept
        assert len(token) == 43

    def test_a_new_one_ends_the_old_and_nobody_elses(self, desk):
        old, other = desk.token_for("bo", by=None), desk.token_for("ana", by=None)
        new = desk.token_for("bo", by=desk.person("bo"))
        with pytest.raises(NotAllowed, match="not known, or has been replaced") as refused:
            desk.whose(old)
        assert old not in f"{refused.value}{refused.value.hint}"
        assert (desk.whose(new).id, desk.whose(other).id) == ("bo", "ana")

    @pytest.mark.parametrize("stranger", ["", "x", "0" * 43])
    def test_what_is_no_token_opens_nothing(self, desk, stranger):
        with pytest.raises(NotAllowed):
            desk.whose(stranger)

    def test_a_person_who_has_left_is_nobody(self, desk, office):
        token = desk.token_for("cy", by=None)
        desk = edited(office, PEOPLE_TOML.split("[cy]")[0])
        desk.confirm_people(by="ana")
        desk.confirm_people(by="bo")
        with pytest.raises(NotAllowed):
            desk.whose(token)

    def test_only_an_administrator_makes_one_for_somebody_else(self, desk):
        with pytest.raises(
            NotAllowed, match="Cy Example may not do this: it needs the role"
        ) as refused:
            desk.token_for("bo", by=desk.person("cy"))
        assert "it needs the role administrator" in str(refused.value)
        assert desk.whose(desk.token_for("cy", by=desk.person("cy"))).id == "cy"
        assert desk.whose(desk.token_for("cy", by=desk.person("ana"))).id == "cy"
