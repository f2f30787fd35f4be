"""Key files: what stands in the clear, and that it is compared with the key."""

import pytest

from yunhe.errors import InvalidKeyError, KeyFileExistsError, WrongPassphraseError
from yunhe.sdk import Member, Wallet, create_key_file, read_key_file

OWNER = Member("carrier", "clerk")
SUITES = {"ed25519-sha256": None, "sm2-sm3": "1234567812345678"}


# COD-023, COD-024
@pytest.mark.parametrize("suite", SUITES)
def test_key_file_says_whose_key_it_holds_and_opens(tmp_path, suite):
    file = create_key_file(tmp_path / "key.pem", OWNER, "one", suite)
    again = read_key_file(tmp_path / "key.pem")
    assert (again.member, again.public_key, again.signer_id) == (OWNER, file.public_key, SUITES[suite])
    text = (tmp_path / "key.pem").read_text()
    assert ("Signer-Id: 1234567812345678\n" in text) == (suite == "sm2-sm3")
    opened = again.open("one")
    assert (opened.key.suite, opened.key.public_key) == (suite, file.public_key)
    file.public_key.verify(b"m", opened.key.sign(b"m"))
    assert opened.signer.suite == suite
    with pytest.raises(WrongPassphraseError):
        again.open("two")
    with pytest.raises(KeyFileExistsError):
        create_key_file(tmp_path / "key.pem", OWNER, "one", suite)


# COD-023
@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("line", ["", "Signer-Id: ALICE123@YAHOO.COM\n", "Signer-Id:\n"])
def test_key_file_for_another_signer_id_is_refused(tmp_path, suite, line):
    path = tmp_path / "key.pem"
    create_key_file(path, OWNER, "one", suite)
    text = path.read_text().replace("Signer-Id: 1234567812345678\n", "")
    path.write_text(text.replace("-----BEGIN", line + "-----BEGIN", 1))
    if suite == "ed25519-sha256" and not line:
        assert read_key_file(path).signer_id is None
    else:
        with pytest.raises(InvalidKeyError, match="signer id"):
            read_key_file(path)


def test_key_file_whose_lines_name_another_key_is_refused(tmp_path):
    one = create_key_file(tmp_path / "one.pem", OWNER, "one", "sm2-sm3")
    two = create_key_file(tmp_path / "two.pem", OWNER, "one", "sm2-sm3")
    path = tmp_path / "one.pem"
    path.write_text(path.read_text().replace(one.public_key.raw.hex(), two.public_key.raw.hex()))
    with pytest.raises(InvalidKeyError, match="another key"):
        read_key_file(path).open("one")
    path.write_text(path.read_text().replace(two.public_key.raw.hex(), two.public_key.raw.hex()[:-2] + "00"))
    with pytest.raises(InvalidKeyError):
        read_key_file(path)


def test_wallet_holds_keys_of_either_suite(tmp_path):
    wallet = Wallet(tmp_path)
    wallet.create(OWNER, "one")
    wallet.create(Member("bank", "clerk"), "one", "sm2-sm3")
    (tmp_path / "other.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    assert [file.public_key.suite for file in wallet.key_files()] == ["sm2-sm3", "ed25519-sha256"]
    assert wallet.find(Member("bank", "clerk")).open("one").key.suite == "sm2-sm3"


def test_passphrase_that_is_no_text_is_refused_and_no_file_is_made(tmp_path):
    path = tmp_path / "key.pem"
    with pytest.raises(InvalidKeyError, match="UTF-8"):
        create_key_file(path, OWNER, "\udcff")
    assert not path.exists()
    with pytest.raises(InvalidKeyError, match="UTF-8"):
        create_key_file(path, OWNER, "one").open("\udcff")
