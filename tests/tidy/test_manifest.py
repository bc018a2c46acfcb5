import house
import manifest

PARSER = {"src/release/manifest_parse.cc": """
constexpr std::array<std::string_view, 2> kKeys = {"app", "data"};
constexpr std::array<std::string_view, 3> kAllKeys = {
    "app", "data", "hooks"};
constexpr std::array<std::string_view, 1> kDataKeys = {"quota"};
"""}
ALL = ("app", "data", "data.quota", "services.NAME", "services.NAME.env.VARIABLE")


def document(keys=ALL, errors=(*ALL, "hooks"), reserved="`hooks`"):
    def table(heading, rows):
        return f"\n## {heading}\n\n| key | x |\n|---|---|\n" + "".join(
            f"| `{row}` | x |\n" for row in rows)

    return (table("All keys", keys) + f'\nRefused with "not supported yet": {reserved}.\n'
            + table("Error messages", errors))


def test_the_document_and_the_parser_know_the_same_keys():
    sources = {path: (house.ROOT / path).read_text() for path in house.files()
               if path.startswith("src/release/") and path.endswith(".cc")}
    text = (house.ROOT / manifest.DOCUMENT).read_text()
    house.report(manifest.check_keys(text, sources))
    assert {"app", "services.NAME.idle", "services.NAME.limits.cpu",
            "frontend.root"} <= manifest.keys_of_parser(sources)[0]


def test_a_key_that_is_missing_on_either_side_is_found():
    assert manifest.check_keys(document(), PARSER) == []
    assert manifest.check_keys(document(keys=ALL[1:]), PARSER) != []
    assert manifest.check_keys(document(keys=(*ALL, "data.colour")), PARSER) != []
    assert manifest.check_keys(document(reserved="`aws`"), PARSER) != []


def test_a_key_without_an_example_of_its_error_is_found():
    assert manifest.check_keys(document(errors=ALL), PARSER) != []


def test_a_table_of_keys_in_no_known_place_is_found():
    more = {"src/release/x.cc": 'constexpr std::array<std::string_view, 1> kHookKeys = {"a"};'}
    assert manifest.check_keys(document(), PARSER | more) != []
