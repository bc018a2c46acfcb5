import house
import links

TREE = links.Tree(["README.md", "dev", "docs/apps.md", "src/wire/README.md", "src/wire/routing.h",
                   "src/wire/testing/data_fuzz.cc", "src/wire/routing_test.cc",
                   "src/agent/README.md", "src/agent/host/disk_keys.h",
                   "tests/system/test_up_tls.py"])


def faults(text, document="docs/apps.md"):
    texts = {"docs/apps.md": "# Apps\n\n## What it finds\n", "README.md": "# Granary\n"}
    return links.check_document(document, texts | {document: text}, TREE)


def test_links_and_paths_of_all_documents_lead_somewhere():
    tree = links.Tree(house.files())
    texts = {path: (house.ROOT / path).read_text() for path in house.files()
             if path.endswith(".md")}
    assert len(texts) > 20
    findings = []
    for document in texts:
        findings += links.check_document(document, texts, tree)
        findings += links.check_words(document, texts[document], tree,
                                      lambda path: (house.ROOT / path).read_text())
    house.report(findings)


def test_comments_name_documents_that_are_there():
    tree = links.Tree(house.files())
    findings = []
    for source in house.sources():
        findings += links.check_comments(source.path, source.text, tree)
    house.report(findings)


def test_a_link_to_nothing_is_found():
    assert faults("[a](apps.md) [b](../README.md) [c](https://example.org/x.md)\n") == []
    assert faults("[a](app.md)\n") != []
    assert faults("[a](README.md)\n") != []
    assert faults("![a](picture.svg)\n") != []


def test_a_link_to_no_heading_is_found():
    assert faults("# Here\n\n[a](#here)\n") == []
    assert faults("# Here\n\n[a](#there)\n") != []
    assert faults("[a](docs/apps.md#what-it-finds)\n", "README.md") == []
    assert faults("[a](docs/apps.md#what-it-lost)\n", "README.md") != []


def test_a_path_to_nothing_is_found():
    assert faults("`src/wire/routing.h` `wire/routing.h` `routing.h` `./dev` `docs/`\n") == []
    assert faults("`src/wire/route.h`\n") != []
    assert faults("`wire/route.h`\n") != []
    assert faults("`route.h`\n") != []
    assert faults("`docs/pages/`\n") != []
    assert faults("`app.md`\n") != []


def test_a_readme_of_a_module_speaks_of_its_own_folder():
    readme = "src/agent/README.md"
    assert faults("`disk_keys.h` `host/disk_keys.h` `wire/routing.h`\n", readme) == []
    assert faults("`routing.h`\n", readme) != []


def test_patterns_stand_for_files():
    assert faults("`src/*/README.md` `testing/NAME_fuzz.cc` `src/wire/*_test.cc`\n") == []
    assert faults("`src/wire/routing{.h,_test.cc}`\n") == []
    assert faults("`src/wire/routing{,_test}.cc`\n") != []
    assert faults("`src/agent/*_test.cc`\n") != []


def test_a_test_that_is_not_there_is_found():
    assert faults("`routing_test` `test_up_tls` `data_fuzz` and the program `wire_test`\n") == []
    assert faults("`router_test`\n") != []
    assert faults("`test_up_dns`\n") != []


def test_what_is_no_path_of_ours_is_left_alone():
    assert faults("`main.py` `/etc/hosts` `--config FILE` `build/granary` `keys/a.key`\n") == []
    assert faults("```\n`src/wire/route.h`\n```\n\n    see `src/wire/route.h`\n") == []


def test_code_that_goes_on_in_the_next_line_is_read():
    assert faults("`./dev\nsim` and `src/wire/route.h`\n") != []


def test_a_document_that_a_comment_names_must_be_there():
    assert links.check_comments("src/wire/a.cc", "// see docs/apps.md\n", TREE) == []
    assert links.check_comments("src/wire/a.cc", "// see docs/app.md\n", TREE) != []
    assert links.check_comments("src/wire/a.cc", 'f("docs/app.md");\n', TREE) == []


def test_a_word_that_a_file_does_not_have_is_found():
    def check(text):
        return links.check_words("a.md", text, TREE, lambda _: "struct Snapshot {};\n")

    assert check("`Snapshot` in `src/wire/routing.h`\n") == []
    assert check("`wire::Snapshot` in\n`src/wire/routing.h`\n") == []
    assert check("`Snap` in `src/wire/routing.h`\n") != []
