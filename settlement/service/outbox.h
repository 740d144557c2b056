// Outbox: the decisions that are written and not yet read back, in the order of their numbers, and
// what they will have moved once they are posted. The next decision is made from the books with
// these effects added, so that nothing is spent twice. Settlement's worker thread owns it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "settlement/ledger/postings.h"
#include "settlement/service/books.h"
#include "settlement/store/decision.h"

namespace warpbook::settlement {

class Outbox {
 public:
  Outbox() = default;
  // As stored: what the books that were stored with it say of them. DataLoss where a decision is on
  // nothing that is open.
  static absl::StatusOr<Outbox> Restore(const std::vector<Decision>& decisions, const Books& books);

  // A new decision, on something that is open in the books and in no other decision (CHECKed). Its
  // number is behind all others.
  void Add(const Decision& decision, const Books& books);

  // The journal gives a decision back. Where that number here is another decision, it and all
  // behind it are void: the journal is the truth, and what they were on is to be decided anew.
  // Returns whether that is so. A number that is not here changes nothing.
  bool TakeBack(const Decision& decision);

  size_t size() const { return entries_.size(); }
  // How many of the decisions are on requests.
  size_t requests() const { return requests_.size(); }
  const Decision& decision(size_t index) const { return entries_[index].decision; }
  // The highest number here; 0: none.
  uint64_t last_number() const { return entries_.empty() ? 0 : entries_.back().decision.number; }

  bool Decides(Sequence request) const { return requests_.contains(request); }
  bool Decides(LeaseId lease) const { return leases_.contains(lease); }
  bool DecidesBonus(AccountId account) const { return bonuses_.contains(account); }
  bool Marks(OwnerId owner) const { return marks_.contains(owner); }
  // Whether some of these leave a lease owed something: what comes in meanwhile is theirs first.
  bool leaves_owed() const { return leaving_owed_ > 0; }
  // What the settlements here mint.
  Tokens emitted() const { return emitted_; }
  bool PostsReference(const std::string& reference) const {
    return references_.contains(reference);
  }
  // What the decisions here add to a balance, and to the credits issued.
  int64_t Effect(LedgerAccount account) const;
  Credits issued() const { return issued_; }

 private:
  struct Entry {
    Decision decision;
    std::vector<TokenMove> moves;
    std::string reference;  // that it posts
    bool leaves_owed = false;
  };
  Entry Describe(const Decision& decision, const Books& books) const;
  void Account(const Entry& entry, int sign);

  std::deque<Entry> entries_;
  absl::flat_hash_set<Sequence> requests_;
  absl::flat_hash_set<LeaseId> leases_;
  absl::flat_hash_set<std::string> references_;
  absl::flat_hash_set<AccountId> bonuses_;
  absl::flat_hash_set<OwnerId> marks_;
  size_t leaving_owed_ = 0;
  Tokens emitted_;
  absl::flat_hash_map<LedgerAccount, int64_t> effects_;
  Credits issued_;
};

}  // namespace warpbook::settlement
