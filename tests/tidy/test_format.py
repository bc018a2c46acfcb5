import subprocess

import house

FORMATTER = "clang-format-19"


def misformatted(paths, cwd):
    done = subprocess.run([FORMATTER, "--dry-run", *paths], cwd=cwd, capture_output=True,
                          text=True, check=True)
    return sorted({line.split(":")[0] for line in done.stderr.splitlines()
                   if "-Wclang-format-violations" in line})


def test_cpp_is_formatted():
    paths = [source.path for source in house.sources()]
    house.report(house.Finding(path, 1, "format", "run ./dev fmt")
                 for path in misformatted(paths, house.ROOT))


def test_bad_formatting_is_found(tmp_path):
    (tmp_path / ".clang-format").write_text((house.ROOT / ".clang-format").read_text())
    (tmp_path / "bad.cc").write_text("int  main( ){return 0 ;}\n")
    (tmp_path / "good.cc").write_text("int main() { return 0; }\n")
    assert misformatted(["bad.cc", "good.cc"], tmp_path) == ["bad.cc"]
