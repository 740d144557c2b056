// Gives a fuzzer the inputs of the folders that are named, once each: so that the tests notice when
// a fuzzer no longer builds, and when what it once found is back. Without a folder: the empty
// input.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void Give(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  int inputs = 1;
  Give("");
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      Give({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
      ++inputs;
    }
  }
  std::printf("%d inputs\n", inputs);
  return 0;
}
