# Sourced by ./dev: configure and build.

# Configures preset $1 once, and builds it: all, or the targets given.
build_preset() {
  local preset=$1 dir=build
  shift
  [ "$preset" = dev ] || dir=build/$preset
  if [ ! -f "$dir/build.ninja" ]; then
    cmake --preset "$preset"
  fi
  ninja -C "$dir" "$@"
}

# bench/run.py where there is one, and the micro benchmarks of the rooms.
run_benches() {
  if [ -f bench/run.py ]; then
    exec "$PYTHON" bench/run.py "$@"
  fi
  build_preset dev benches
  local bench
  for bench in build/*_bench; do
    [ -x "$bench" ] && "$bench" "$@"
  done
}
