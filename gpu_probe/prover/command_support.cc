#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/commands.h"
#include "gpu_probe/prover/default_catalogue.h"
#include "gpu_probe/prover/json_text.h"
#include "schema/base/file.h"

namespace warpbook::probe {

int Fail(const Program& program, ExitCode code, const std::string& what) {
  program.error << absl::StrCat("warpbook-probe: ", what, "\n") << std::flush;
  return code;
}

int Fail(const Program& program, ExitCode code, const absl::Status& error) {
  return Fail(program, code, std::string(error.message()));
}

int Print(const Program& program, std::string_view json, ExitCode code) {
  program.out << json << std::flush;
  if (program.out.good()) return code;
  return Fail(program, code == kExitOk ? kExitFailed : code, "cannot write to stdout");
}

StopSignals EndWhenTold(const Program& program, const std::string& what) {
  return StopSignals([program, what] {
    Fail(program, kExitFailed, what);
    _exit(kExitFailed);
  });
}

std::string ForPeople(const std::string& json) {
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(json);
  return value.ok() ? Indented(*value) : json;
}

absl::StatusOr<ClassTable> LoadClassTable(const std::string& catalogue_file) {
  const absl::StatusOr<Catalogue> catalogue =
      catalogue_file.empty() ? ParseCatalogue(kDefaultCatalogue, "built-in catalogue")
                             : LoadCatalogue(catalogue_file);
  if (!catalogue.ok()) return catalogue.status();
  return ClassTable(*catalogue);
}

absl::StatusOr<std::string> ReadInput(const std::string& path, size_t bytes_max) {
  FileSystem& files = PosixFileSystem();
  const absl::StatusOr<std::unique_ptr<File>> file = files.Open(path, FileSystem::Mode::kRead);
  if (!file.ok()) return file.status();
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  if (*size > bytes_max) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", *size, " bytes, more than the ", bytes_max, " it can have"));
  }
  return ReadWholeFile(files, path);
}

}  // namespace warpbook::probe
