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
