import banned
import house
import pytest
import results
from cpp import Source

RULES = house.table("tidy.toml")["banned"]
NAMES = {rule["name"] for rule in RULES} | {"enum-default", "lost-result"}


def test_nothing_banned_is_used_and_every_waiver_is_needed():
    findings = []
    coroutines = results.names_with_results(house.sources())
    for source in house.sources():
        findings += banned.check_banned(source, RULES)
        findings += banned.check_switch(source)
        results.check_lost_results(source, coroutines)  # for the waivers that it uses
        findings += banned.check_waivers(source, NAMES)
    house.report(findings)


# For each rule, lines that must be found and lines that must not.
SAMPLES = {
    "clock": (["auto t = std::chrono::steady_clock::now();", "time(nullptr);"],
              ["clock_.now();", "TestClock::now_text();", "wake_time(0);"]),
    "sleep": (["std::this_thread::sleep_for(1s);", "usleep(3);", "sleep(1);"],
              ["timer.sleep(1s);", "Task<void> sleep(Duration);", "Waker::sleep(id);"]),
    "random": (["int n = rand();", "std::mt19937 engine;", "std::random_device device;"],
               ["rng.rand();", "operand(3);"]),
    "environment": (['getenv("HOME");', 'std::getenv("HOME");', '::setenv("A", "b", 1);'],
                    ["world.getenv(name);"]),
    "shell": (['system("ls");', 'std::system("ls");', '::popen("ls", "r");'],
              ["file_system();", "os.system();"]),
    "thread": (["std::thread worker;", "auto f = std::async(g);"],
               ["std::this_thread::get_id();"]),
    "mutex": (["std::mutex m;", "std::shared_mutex m;", "std::condition_variable c;"],
              ["Mutex m;"]),
    "detached": (["co_spawn(executor, run(), asio::detached);"], ["bool is_detached_now = 1;"]),
    "using-namespace": (["using namespace std;", "using namespace boost::asio;"],
                        ["using namespace std::chrono_literals;", "using namespace std::literals;",
                         "namespace asio = boost::asio;"]),
    "using-literals": (["using namespace std::chrono_literals;"], ["using std::string;"]),
    "catch-all": (["try { f(); } catch (...) { }"], ["catch (const std::exception& e) { }"]),
    "throw": (['throw std::runtime_error("no");'], ["rethrow_it();"]),
    "console": (['std::cout << 1;', 'printf("x");', 'fmt::print("x");'],
                ["snprintf(buffer, 3, format);", "fmt::format(text);"]),
    "bool-parameter": (
        ["void set(bool on);", "void set(int a, const bool on = true);"],
        ["bool on() const;", "std::function<void(bool)> f;", "bool closed_ = false;"]),
    "silent-skip": (["GTEST_SKIP();", "TEST(A, DISABLED_Works) {"], ['GTEST_SKIP() << "no root";']),
    "thread-detach": (["worker.detach();"], ["detach(volume);"]),
}


@pytest.mark.parametrize("name", sorted({rule["name"] for rule in RULES}))
def test_each_rule_finds_its_bad_samples_and_leaves_the_good_ones(name):
    bad, good = SAMPLES[name]
    rule = [rule for rule in RULES if rule["name"] == name]
    for line in bad:
        found = banned.check_banned(Source("src/registry/x.h", line + "\n"), rule)
        assert [finding.rule for finding in found] == [name], line
    for line in good:
        assert banned.check_banned(Source("src/registry/x.h", line + "\n"), rule) == [], line


def test_comments_strings_and_allowed_places_are_left_alone():
    text = '// never rand()\nlog("rand()");\n/* rand() */ auto s = R"(rand())";\n'
    assert banned.check_banned(Source("src/registry/x.cc", text), RULES) == []
    assert banned.check_banned(Source("src/base/os/x.cc", "::getenv(a);"), RULES) == []
    assert banned.check_banned(Source("src/registry/x.cc", "::getenv(a);"), RULES) != []


def test_code_after_a_quote_or_a_digit_separator_is_still_seen():
    for before in ["char c = '\"';", "auto n = 1'000'000;", r'auto s = "\\";', "auto h = 0xa'b;"]:
        source = Source("src/registry/x.cc", before + " throw 1;")
        assert [finding.rule for finding in banned.check_banned(source, RULES)] == ["throw"], before


def test_a_waiver_covers_its_line_or_the_one_below_and_needs_a_reason():
    for text in ["throw 1;  // tidy: allow(throw): the framework expects one\n",
                 "// tidy: allow(throw): the framework\n// expects one\nthrow 1;\n"]:
        source = Source("src/registry/x.cc", text)
        assert banned.check_banned(source, RULES) == []
        assert banned.check_waivers(source, NAMES) == []
    bare = Source("src/registry/x.cc", "throw 1;  // tidy: allow(throw)\n")
    banned.check_banned(bare, RULES)
    assert "say why" in banned.check_waivers(bare, NAMES)[0].message


def test_a_waiver_of_nothing_or_of_an_unknown_rule_is_found():
    idle = Source("src/registry/x.cc", "f();  // tidy: allow(throw): it used to throw here\n")
    banned.check_banned(idle, RULES)
    assert "needs" in banned.check_waivers(idle, NAMES)[0].message
    unknown = Source("src/registry/x.cc", "f();  // tidy: allow(everything): because I say so\n")
    assert "no rule" in banned.check_waivers(unknown, NAMES)[0].message


def test_a_default_in_a_switch_over_an_enum_is_found_and_one_over_numbers_is_not():
    over_enum = "switch (s) {\n case State::Asleep: return 1;\n default: return 2;\n}"
    found = banned.check_switch(Source("src/a/x.cc", over_enum))
    assert [(finding.rule, finding.line) for finding in found] == [("enum-default", 3)]
    over_numbers = "switch (n) { case 1: case SIGTERM: return 1; default: return 2; }"
    assert banned.check_switch(Source("src/a/x.cc", over_numbers)) == []
    nested = ("switch (s) { case A::On: switch (n) { case 1: break; default: break; } break; "
              "case A::Off: break; }")
    assert banned.check_switch(Source("src/a/x.cc", nested)) == []
