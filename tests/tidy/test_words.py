import house
import words


def texts():
    for path in house.files():
        try:
            yield path, (house.ROOT / path).read_text()
        except UnicodeDecodeError:
            continue  # not a text


def test_nothing_is_left_unfinished_without_an_issue():
    findings = []
    for path, text in texts():
        findings += words.check_unfinished(path, text)
    house.report(findings)


def test_no_folder_of_one_machine_is_named():
    findings = []
    for path, text in texts():
        findings += words.check_private_paths(path, text)
    house.report(findings)


def is_told(path):
    """Whether people read the strings in it."""
    return (path.startswith("src/") and path.endswith((".cc", ".h"))
            and not path.endswith("_test.cc") and "/testing/" not in path)


def test_what_people_read_is_in_the_words_of_the_field():
    findings = []
    for path, text in texts():
        if is_told(str(path)):
            findings += words.check_own_words(path, text)
    house.report(findings)


def test_a_word_of_our_own_is_found_in_a_sentence_alone():
    for said in ("how to mend it", "without walls", "every account is well", "it was mended"):
        assert words.check_own_words("a.cc", f'tell("{said}");\n') != [], said
    for said in ("mend", "the wall clock", "it works as well"):
        assert words.check_own_words("a.cc", f'tell("{said}");\n') == [], said
    assert words.check_own_words("a.cc", "// mend what is broken\n") == []


def test_an_unfinished_mark_is_found_unless_it_names_an_issue():
    mark = "TO" + "DO"
    assert words.check_unfinished("a.cc", f"// {mark}: later\n") != []
    assert words.check_unfinished("a.cc", "// FIX" + "ME\n") != []
    assert words.check_unfinished("a.cc", f"// {mark}(#12): later\n") == []
    assert words.check_unfinished("a.cc", "todo_list\n") == []


def test_a_private_path_is_found():
    assert words.check_private_paths("a.md", "see /wor" + "k/notes\n") != []
    assert words.check_private_paths("a.md", "see /tmp/" + "w/notes\n") != []
    assert words.check_private_paths("a.md", "see /var/lib/granary/work/x and /tmp/www\n") == []
