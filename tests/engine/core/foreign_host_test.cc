// A program that knows the engine only as a shared module: it loads it, drives it from one thread,
// and gets what the engine that is linked into this test gives.
#include <dlfcn.h>
#include <doctest/doctest.h>
#include <link.h>

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/engine.h"
#include "tests/bench/flow_market.h"
#include "tests/engine/core/foreign_host_module.h"

namespace warpbook::engine {
namespace {

const ForeignEngineApi& LoadModule() {
  void* module = dlopen(WARPBOOK_ENGINE_MODULE, RTLD_NOW | RTLD_LOCAL);
  REQUIRE_MESSAGE(module != nullptr, dlerror());
  void* entry = dlsym(module, "WarpbookEngine");
  REQUIRE(entry != nullptr);
  return *reinterpret_cast<ForeignEngineEntry*>(entry)();
}

// The names of all shared objects in this process, without their folders.
std::vector<std::string> LoadedLibraries() {
  std::vector<std::string> names;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* found) {
        const std::string_view path = info->dlpi_name;
        const std::string_view name = path.substr(path.rfind('/') + 1);
        if (!name.empty()) static_cast<std::vector<std::string>*>(found)->emplace_back(name);
        return 0;
      },
      &names);
  return names;
}

// The C++ runtime, what a sanitizer adds to it, and Abseil, whose containers the engine uses.
bool IsRuntime(std::string_view name) {
  for (const std::string_view runtime :
       {"ld-linux", "linux-vdso", "libc.", "libm.", "libgcc_s.", "libstdc++.", "libasan.",
        "libubsan.", "libtsan.", "libdl.", "libpthread.", "librt.", "libabsl_"}) {
    if (name.starts_with(runtime)) return true;
  }
  return false;
}

TEST_CASE("A foreign host that loads the engine gets the same events and hashes from one thread") {
  const ForeignEngineApi& api = LoadModule();
  const bench::FlowResult flow = bench::PlayOrderFlow(
      bench::MakeOrderFlow(*bench::FindOrderFlowScenario("swing-25"), 7, 2'000),
      {.buyers = 3, .providers = 4, .tiers = true});
  std::vector<wire::CommandRecord> commands = flow.commands.setup;
  commands.insert(commands.end(), flow.commands.flow.begin(), flow.commands.flow.end());

  Engine linked;
  wire::RecordWriter expected;
  ForeignEngine* loaded = api.make();
  for (const wire::CommandRecord& command : commands) {
    expected.Clear();
    linked.Apply(command.view(), 0, expected);
    const std::span<const std::byte> bytes = command.view().bytes();
    const void* events = nullptr;
    REQUIRE(api.apply(loaded, bytes.data(), bytes.size(), &events) == expected.size());
    REQUIRE(std::memcmp(events, expected.bytes().data(), expected.size()) == 0);
    REQUIRE(api.event_hash(loaded) == linked.event_hash());
  }
  CHECK(linked.last_event_sequence().value() > commands.size());
  CHECK(api.state_hash(loaded) == linked.StateHash());
  const std::string_view cut = "\x3c";
  const void* none = nullptr;
  CHECK(api.apply(loaded, cut.data(), cut.size(), &none) == 0);
  api.destroy(loaded);
}

TEST_CASE("The engine brings no library along but the C++ runtime and Abseil") {
  LoadModule();
  for (const std::string& name : LoadedLibraries()) {
    CAPTURE(name);
    CHECK((IsRuntime(name) || name.starts_with("foreign_host_module")));
  }
}

}  // namespace
}  // namespace warpbook::engine
