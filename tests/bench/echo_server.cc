#include "tests/bench/echo_server.h"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <functional>
#include <span>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "schema/base/check.h"
#include "schema/wire/record.h"

namespace warpbook::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;

class Session : public std::enable_shared_from_this<Session> {
 public:
  // `on_text` is given each text, and sends it back by Send, at once or later.
  using OnText = std::function<void(const std::shared_ptr<Session>&, std::string)>;

  Session(tcp::socket socket, const OnText* on_text)
      : stream_(std::move(socket)), on_text_(on_text) {}

  void Start() {
    stream_.next_layer().set_option(tcp::no_delay(true));
    stream_.async_accept([self = shared_from_this()](error_code error) {
      if (!error) self->Read();
    });
  }

  void Send(std::string text) {
    waiting_.push_back(std::move(text));
    if (waiting_.size() == 1) Write();
  }

 private:
  void Read() {
    stream_.async_read(buffer_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return;
      if (self->on_text_ == nullptr) return self->WriteBack();
      (*self->on_text_)(self, beast::buffers_to_string(self->buffer_.data()));
      self->buffer_.clear();
      self->Read();
    });
  }

  // The bare echo: the next message is read once this one has been written.
  void WriteBack() {
    stream_.text(true);
    stream_.async_write(buffer_.data(), [self = shared_from_this()](error_code error, size_t) {
      if (error) return;
      self->buffer_.clear();
      self->Read();
    });
  }

  void Write() {
    stream_.text(true);
    stream_.async_write(asio::buffer(waiting_.front()),
                        [self = shared_from_this()](error_code error, size_t) {
                          if (error) return;
                          self->waiting_.pop_front();
                          if (!self->waiting_.empty()) self->Write();
                        });
  }

  websocket::stream<tcp::socket> stream_;
  const OnText* const on_text_;
  beast::flat_buffer buffer_;
  std::deque<std::string> waiting_;
};

}  // namespace

class EchoServer::Impl {
 public:
  explicit Impl(std::unique_ptr<engine::EnginePort> port)
      : port_(std::move(port)),
        ready_(io_),
        acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        on_text_([this](const std::shared_ptr<Session>& session, std::string text) {
          Submit(session, std::move(text));
        }) {
    if (port_ != nullptr) {
      ready_.assign(dup(port_->ReadyFd()));
      TakeBatches();
    }
    Accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~Impl() {
    io_.stop();
    thread_.join();
  }

  uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (error) return;
      std::make_shared<Session>(std::move(socket), port_ == nullptr ? nullptr : &on_text_)->Start();
      Accept();
    });
  }

  // Nobody's order is cancelled: the engine refuses at once, and what it says is journaled.
  void Submit(const std::shared_ptr<Session>& session, std::string text) {
    wire::CancelOrder command;
    command.mutable_header().mutate_tag(++last_tag_);
    const wire::CommandRecord record(command);
    WARPBOOK_CHECK(port_->TrySubmit(std::span(&record, 1)) == 1);
    waiting_.emplace(last_tag_, std::pair(session, std::move(text)));
  }

  void TakeBatches() {
    while (const auto batch = port_->Poll()) {
      for (const wire::RecordView record : wire::Records(batch->records)) {
        if (record.type() != wire::RecordType::kCommandRejected) continue;
        const auto found = waiting_.find(record.as<wire::CommandRejected>().tag());
        if (found == waiting_.end()) continue;
        found->second.first->Send(std::move(found->second.second));
        waiting_.erase(found);
      }
    }
    ready_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
      if (error) return;
      uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = read(ready_.native_handle(), &count, sizeof count);
      TakeBatches();
    });
  }

  asio::io_context io_{1};
  std::unique_ptr<engine::EnginePort> port_;
  asio::posix::stream_descriptor ready_;
  tcp::acceptor acceptor_;
  const Session::OnText on_text_;
  uint64_t last_tag_ = 0;
  absl::flat_hash_map<uint64_t, std::pair<std::shared_ptr<Session>, std::string>> waiting_;
  std::thread thread_;
};

EchoServer::EchoServer() : EchoServer(nullptr) {}
EchoServer::EchoServer(std::unique_ptr<engine::EnginePort> port)
    : impl_(std::make_unique<Impl>(std::move(port))) {}
EchoServer::~EchoServer() = default;
uint16_t EchoServer::port() const { return impl_->port(); }

}  // namespace warpbook::bench
