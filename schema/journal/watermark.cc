#include "schema/journal/watermark.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace warpbook::journal {
namespace {

constexpr char kName[] = "watermark";
constexpr uint64_t kMagic = 0x31'4b'52'4d'42'50'52'57;  // "WRPBMRK1"
// The words of the file.
constexpr size_t kMagicWord = 0;
constexpr size_t kSequenceWord = 1;
constexpr size_t kComplementWord = 2;
constexpr size_t kWords = 3;
constexpr size_t kFileSize = kWords * sizeof(uint64_t);

static_assert(std::atomic_ref<uint64_t>::is_always_lock_free);

}  // namespace

absl::StatusOr<std::unique_ptr<Watermark>> Watermark::Map(FileSystem& files,
                                                          const std::string& directory,
                                                          FileSystem::Mode mode) {
  const std::string path = absl::StrCat(directory, "/", kName);
  absl::StatusOr<std::unique_ptr<SharedMapping>> mapping = files.Map(path, mode, kFileSize);
  if (!mapping.ok()) return mapping.status();
  std::unique_ptr<Watermark> watermark(new Watermark(*std::move(mapping)));
  if (watermark->word(kMagicWord) != kMagic) {
    return absl::DataLossError(absl::StrCat(path, " is not a journal's watermark"));
  }
  return watermark;
}

absl::StatusOr<std::unique_ptr<Watermark>> Watermark::Open(FileSystem& files,
                                                           const std::string& directory) {
  return Map(files, directory, FileSystem::Mode::kRead);
}

absl::StatusOr<std::unique_ptr<Watermark>> Watermark::Create(FileSystem& files,
                                                             const std::string& directory,
                                                             uint64_t sequence) {
  absl::StatusOr<std::unique_ptr<Watermark>> watermark =
      Map(files, directory, FileSystem::Mode::kReadWrite);
  if (absl::IsNotFound(watermark.status()) || absl::IsDataLoss(watermark.status())) {
    const uint64_t words[kWords] = {kMagic, sequence, ~sequence};
    char content[kFileSize];
    std::memcpy(content, words, sizeof content);
    const absl::Status written =
        ReplaceFile(files, directory, kName, std::string_view(content, sizeof content));
    if (!written.ok()) return written;
    watermark = Map(files, directory, FileSystem::Mode::kReadWrite);
  }
  if (watermark.ok()) (*watermark)->Store(sequence);
  return watermark;
}

uint64_t& Watermark::word(size_t index) const {
  return reinterpret_cast<uint64_t*>(mapping_->bytes().data())[index];
}

void Watermark::Store(uint64_t sequence) {
  // Release: whoever sees the sequence sees the journal that was written before it.
  std::atomic_ref(word(kComplementWord)).store(~sequence, std::memory_order_release);
  std::atomic_ref(word(kSequenceWord)).store(sequence, std::memory_order_release);
}

uint64_t Watermark::Load() const {
  const uint64_t sequence = std::atomic_ref(word(kSequenceWord)).load(std::memory_order_acquire);
  const uint64_t complement =
      std::atomic_ref(word(kComplementWord)).load(std::memory_order_acquire);
  return std::min(sequence, ~complement);
}

}  // namespace warpbook::journal
