#include "gateway/cli/doctor/exchange_checks.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/service/engine_service.h"
#include "gateway/client/http_get.h"
#include "gateway/net/address.h"
#include "schema/base/file.h"

namespace warpbook::gateway {
namespace {

using boost::asio::ip::tcp;

constexpr int kSyncs = 32;
constexpr size_t kSyncBytes = 4'096;
constexpr int64_t kGoodSyncMicros = 5'000;
constexpr int64_t kSlowSyncMicros = 50'000;
// Behind the newest snapshot, a start replays so many commands in some ten seconds.
constexpr uint64_t kLongReplay = 20'000'000;
// Settlement reads within milliseconds; minutes behind is more than a moment.
constexpr uint64_t kLongLag = 1'000'000;
constexpr std::chrono::milliseconds kHealthTimeout(2'000);

std::string Mebibytes(uint64_t bytes) { return absl::StrCat(bytes >> 20, " MiB"); }

// Whether it answers /readyz: nullopt where nobody, or somebody else, does.
std::optional<bool> IsReady(const ServeOptions& options) {
  const std::string& certificate = options.admin_tls.certificate_chain;
  const absl::string_view scheme = certificate.empty() ? "" : "wss://";
  const auto answer = HttpGet({.address = absl::StrCat(scheme, options.admin_listen),
                               .authorities_file = certificate,
                               .target = "/readyz",
                               .timeout = kHealthTimeout});
  if (!answer.ok() || answer->body.find("\"status\"") == std::string::npos) return std::nullopt;
  return answer->status == 200;
}

void CheckPort(const std::string& address, const char* whose, bool has_tls, Findings& findings) {
  const auto endpoint = ParseEndpoint(address);
  if (!endpoint.ok()) return;  // the configuration's fault, and told there
  boost::asio::io_context io;
  boost::system::error_code error;
  tcp::acceptor acceptor(io);
  acceptor.open(endpoint->protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(*endpoint, error);
  if (!error) {
    return findings.Good("ports", absl::StrCat(address, ", for ", whose, ", is free."));
  }
  if (has_tls) {
    return findings.Warn("ports", absl::StrCat(address, ", for ", whose,
                                               ", is in use; by whom is "
                                               "not told, as it is by TLS (",
                                               error.message(), ")."));
  }
  findings.Fault(
      "ports", absl::StrCat(address, ", for ", whose, ", cannot be listened on (", error.message(),
                            "): stop who uses it, or choose another one."));
}

// A private key that others may read is everybody's.
void CheckSecret(const std::string& path, Findings& findings) {
  struct stat status {};
  if (path.empty() || stat(path.c_str(), &status) != 0) return;  // the configuration's fault
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  findings.Warn("secrets", absl::StrCat(path, " can be read by others: chmod 600 ", path));
}

// Microseconds; nullopt where the directory cannot be written to.
std::optional<int64_t> MedianSyncMicros(const std::string& directory) {
  const std::string path = directory + "/doctor.tmp";
  const auto file = PosixFileSystem().Open(path, FileSystem::Mode::kCreate);
  if (!file.ok()) return std::nullopt;
  unlink(path.c_str());  // gone with the last who has it open
  const std::array<std::byte, kSyncBytes> bytes{};
  std::vector<int64_t> micros;
  for (int i = 0; i < kSyncs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const absl::Status written = WriteFully(**file, static_cast<uint64_t>(i) * bytes.size(), bytes);
    if (!written.ok() || !(*file)->SyncData().ok()) return std::nullopt;
    micros.push_back(std::chrono::duration_cast<std::chrono::microseconds>(
                         std::chrono::steady_clock::now() - begin)
                         .count());
  }
  std::ranges::nth_element(micros, micros.begin() + kSyncs / 2);
  return micros[kSyncs / 2];
}

void CheckJournal(const ServeOptions& options, bool runs, Findings& findings) {
  const auto stat = journal::StatJournal(PosixFileSystem(), options.journal);
  if (absl::IsNotFound(stat.status())) {
    return findings.Good(
        "journal", absl::StrCat(options.journal, " is not there yet: the first start makes it."));
  }
  if (!stat.ok()) return findings.Fault("journal", std::string(stat.status().message()));
  CheckJournalStat(*stat, static_cast<uint64_t>(options.disk_reserve_mebibytes) << 20, findings);
  struct statfs system {};
  if (statfs(options.journal.c_str(), &system) == 0) CheckFileSystem(system.f_type, findings);
  if (access(options.journal.c_str(), W_OK | X_OK) != 0) {
    return findings.Fault("journal", absl::StrCat(options.journal,
                                                  " cannot be written to by who asks here: run the "
                                                  "doctor as the exchange's user, or chown it."));
  }
  if (const auto median = MedianSyncMicros(options.journal)) CheckSyncTime(*median, findings);
  // The lock's file is made with the first segment: one of the doctor's would be its own, and the
  // exchange's user could not open it.
  if (!runs && !stat->segments.empty()) {
    const auto lock = PosixFileSystem().Lock(options.journal);
    if (!lock.ok()) findings.Fault("journal", std::string(lock.status().message()));
  }
}

}  // namespace

void CheckJournalStat(const journal::JournalStat& stat, uint64_t reserve_bytes,
                      Findings& findings) {
  bool whole = true;
  for (size_t i = 0; i < stat.segments.size(); ++i) {
    const journal::SegmentStat& segment = stat.segments[i];
    const bool missing = i > 0 && segment.number != stat.segments[i - 1].number + 1;
    if (segment.fault.empty() && !missing) continue;
    whole = false;
    findings.Fault("journal",
                   absl::StrCat("Segment ", segment.number, ": ",
                                missing ? "segments before it are missing" : segment.fault,
                                ". Restore them from a backup; deploy/OPERATIONS.md says "
                                "how."));
  }
  if (whole) {
    findings.Good("journal",
                  absl::StrCat(stat.segments.size(), " segments, durable up to sequence ",
                               stat.durable_sequence, "."));
  }
  if (!stat.torn.empty()) {
    findings.Warn("journal",
                  absl::StrCat(stat.torn.size(),
                               " torn ends were cut off by recoveries and kept in torn/: "
                               "nothing acknowledged is in them; remove them when you "
                               "have seen them."));
  }
  const uint64_t snapshot = stat.snapshots.empty() ? 0 : stat.snapshots.back().sequence;
  if (stat.durable_sequence > snapshot + kLongReplay) {
    findings.Warn("snapshots",
                  absl::StrCat("The newest snapshot is ", stat.durable_sequence - snapshot,
                               " commands old: a start replays all of them; see why no "
                               "newer one was made."));
  }
  for (const journal::Cursor& cursor : stat.cursors) {
    if (cursor.sequence > stat.durable_sequence && stat.durable_sequence != 0) {
      findings.Fault("cursors",
                     absl::StrCat(cursor.name, " has read up to sequence ", cursor.sequence,
                                  ", and the journal ends at ", stat.durable_sequence,
                                  ": it is an older copy. Restore a newer one."));
    } else if (stat.durable_sequence > cursor.sequence + kLongLag) {
      findings.Warn("lag",
                    absl::StrCat(cursor.name, " is ", stat.durable_sequence - cursor.sequence,
                                 " commands behind the journal: does it run?"));
    }
  }
  if (stat.free_bytes < reserve_bytes) {
    findings.Fault("disk", absl::StrCat(Mebibytes(stat.free_bytes),
                                        " are free for the journal, below "
                                        "the reserve of ",
                                        Mebibytes(reserve_bytes),
                                        ": nothing new is taken until there are more."));
  } else if (stat.free_bytes < reserve_bytes * 4) {
    findings.Warn("disk", absl::StrCat("Only ", Mebibytes(stat.free_bytes),
                                       " are free for the journal, and below ",
                                       Mebibytes(reserve_bytes), " nothing new is taken."));
  } else {
    findings.Good("disk", absl::StrCat(Mebibytes(stat.free_bytes), " are free for the journal."));
  }
}

void CheckSyncTime(int64_t median_micros, Findings& findings) {
  const std::string took =
      absl::StrCat("The journal's disk takes ", median_micros, " us to sync a page");
  if (median_micros <= kGoodSyncMicros) return findings.Good("disk", took + ".");
  const std::string what = took + ", which every order waits for: ";
  if (median_micros <= kSlowSyncMicros) {
    return findings.Warn("disk", what + "a local disk with power-loss protection takes a tenth.");
  }
  findings.Fault("disk", what + "it is too slow for an exchange.");
}

void CheckFileSystem(int64_t magic, Findings& findings) {
  if (magic == TMPFS_MAGIC || magic == RAMFS_MAGIC) {
    findings.Fault("disk", "The journal lies in memory: a loss of power loses all of it.");
  } else if (magic == NFS_SUPER_MAGIC || magic == SMB2_SUPER_MAGIC || magic == CIFS_SUPER_MAGIC) {
    findings.Warn("disk",
                  "The journal lies on another machine's disk: locks and syncs are only as good as "
                  "the network.");
  }
}

void CheckExchange(const ServeOptions& options, Findings& findings) {
  const auto configuration = LoadServeConfiguration(options);
  if (configuration.ok()) {
    findings.Good("configuration", "Everything that it names is there and right.");
  } else {
    findings.Fault("configuration", std::string(configuration.status().message()));
  }
  const bool has_tls = options.admin_tls != TlsContext::Files();
  const std::optional<bool> ready = IsReady(options);
  if (ready) {
    if (*ready) {
      findings.Good("exchange", absl::StrCat("It runs and is ready (", options.admin_listen, ")."));
    } else {
      findings.Warn("exchange",
                    absl::StrCat("It runs, but is not ready: it is stopping, or has lost "
                                 "its engine (",
                                 options.admin_listen, "/readyz)."));
    }
  } else {
    CheckPort(options.listen, "clients", has_tls, findings);
    CheckPort(options.admin_listen, "operators and settlement", has_tls, findings);
  }
  CheckSecret(options.tls.private_key, findings);
  CheckSecret(options.admin_tls.private_key, findings);
  if (!options.journal.empty()) CheckJournal(options, ready.has_value(), findings);
}

}  // namespace warpbook::gateway
