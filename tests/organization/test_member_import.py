"""Lists of people as spreadsheets write them."""

from __future__ import annotations

import pytest

from gateway.models import OrganizationRole, WorkspaceRole
from gateway.organization.members.invitation_rows import Invitation
from gateway.organization.members.spreadsheet import MAX_ROWS, ReadRow, UnreadableList, read_people

ADA = Invitation("ada@example.com")
FULL = Invitation(
    "ada@example.com",
    OrganizationRole.OPERATOR,
    "Ada, Countess",
    "ada",
    workspaces=("Research", "Sales"),
    workspace_role=WorkspaceRole.VIEWER,
    groups=("staff",),
)


@pytest.mark.parametrize(
    "content",
    [
        b"email\nada@example.com\n",
        b"email\r\nada@example.com",
        b"\xef\xbb\xbfemail\r\nAda@Example.com\r\n",
        b"Email ;full_name;;\n ada@example.com ;;;\n;;;\n",
        b"sep=;\r\nemail;role\r\nada@example.com;\r\n",
        b'"email"\t"role"\n"ada@example.com"\tuser\n',
        b"email,role\n\nada@example.com,Organization User\n",
    ],
)
def test_list_is_read_however_a_spreadsheet_writes_it(content: bytes) -> None:
    [row] = read_people(content)
    assert (row.invitation, row.problems) == (ADA, {})


@pytest.mark.parametrize(
    "content",
    [
        (
            "email,full_name,role,workspaces,workspace_role,username,groups\n"
            'ada@example.com,"Ada, Countess",operator,"Research, Sales",viewer,Ada,staff\n'
        ),
        (
            "groups;username;workspace_role;workspaces;role;full_name;email\n"
            "staff;Ada;Viewer;Research,Sales,;ORGANIZATION_OPERATOR;Ada, Countess;ada@example.com\n"
        ),
    ],
)
def test_every_column_has_its_meaning_wherever_it_stands(content: str) -> None:
    assert [row.invitation for row in read_people(content.encode())] == [FULL]


def test_every_bad_cell_is_told_with_the_line_where_its_row_begins() -> None:
    content = (
        "email,full_name,role,workspace_role,username\n"
        'ada@example.com,"two\nlines",,,\n'
        "nobody,,king,Owner,admin\n"
        ",Somebody,,,\n"
        "bob@example.com,,,,,more\n"
        "eve@example.com,,,,\n"
    )
    rows = read_people(content.encode())
    assert [(row.line, set(row.problems)) for row in rows] == [
        (2, {"full_name"}),
        (4, {"email", "role", "workspace_role", "username"}),
        (5, {"email"}),
        (6, {"row"}),
        (7, set()),
    ]
    assert [row.invitation is None for row in rows] == [True, True, True, True, False]
    assert rows[-1] == ReadRow(7, Invitation("eve@example.com"), {})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first line"),
        (b"email\n", "nobody"),
        (b"email\n\n,\n", "nobody"),
        (b"ada@example.com\nbob@example.com\n", "not known: 'ada@example.com'"),
        (b"email,e-mail\nada@example.com,x\n", "not known: 'e-mail'"),
        (b"email,password\nada@example.com,x\n", "not known: 'password'"),
        (b"full_name\nAda\n", "email"),
        (b"email,role,email\nada@example.com,,\n", "twice"),
        ("email,full_name\nada@example.com,Åsa\n".encode("cp1252"), "UTF-8"),
        ("email\nada@example.com\n".encode("utf-16"), "UTF-8"),
        (b'email,full_name\nada@example.com,"Ada" B\n', "line 2"),
        (b'email,full_name\nada@example.com,"Ada\n', "line 2"),
        (b"email\n" + b"ada@example.com\n" * (MAX_ROWS + 1), "divide"),
    ],
)
def test_list_that_cannot_be_read_is_refused_with_the_cause(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableList, match=said):
        read_people(content)
