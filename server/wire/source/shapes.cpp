// A request cut into its vectors and what is left, its key. Which fields lead to vectors is told by tables, which are
// made of the messages' descriptors.

#include "wire.h"

#include <cstring>

#include "bytes.h"

namespace {

const int MAX_DEPTH = 64;  // messages within messages; protobuf allows 100
const size_t LENGTH_BYTES = sizeof(uint32_t);

class Cutter {
  public:
    Cutter(const uint8_t* request, const Leads& leads, const Cut& cut)
        : request_(request), leads_(leads), cut_(cut), key_room_(cut.key_room), value_room_(cut.value_room) {}

    // Cuts a message. Fields that lead to vectors are entered. Of them the key has the tag, and the key's length of
    // what is within. All others are in the key as they are. So requests with equal keys differ in vectors alone.
    bool message(Bytes bytes, int64_t kind, int depth) {
        if (depth > MAX_DEPTH) return false;
        while (!bytes.empty()) {
            const uint8_t* begin = bytes.at;
            uint64_t tag;
            if (!bytes.varint(tag) || tag >> 3 == 0) return false;
            int64_t inner = kind_in(kind, tag >> 3);
            if (inner == OTHER) {
                if (!bytes.skip_field(tag & 7) || !keep(begin, size_t(bytes.at - begin))) return false;
                continue;
            }
            if ((tag & 7) != LENGTH || !keep(begin, size_t(bytes.at - begin))) return false;
            Bytes part;
            if (!bytes.part(part)) return false;
            if (inner == VALUES ? !values(part) : !within(part, inner, depth)) return false;
        }
        return true;
    }

    // Cuts a request: a list of messages in one field, each with a key of its own, and the other fields.
    bool list(Bytes bytes, int64_t field, int64_t kind) {
        if (!others(bytes, field)) return false;
        while (!bytes.empty()) {
            uint64_t tag;
            Bytes part;
            if (!bytes.varint(tag)) return false;
            if (tag >> 3 != uint64_t(field)) {
                if (!bytes.skip_field(tag & 7)) return false;
                continue;
            }
            if (!bytes.part(part) || parts_ == MAX_CUT) return false;
            size_t start = keyed_;
            if (!message(part, kind, 1)) return false;
            finish(start);
        }
        return parts_ > 0;
    }

    bool single(Bytes bytes, int64_t kind) {
        if (!message(bytes, kind, 0)) return false;
        finish(0);
        return true;
    }

    void tell(CutSizes& sizes) const { sizes = {parts_, keys_, vectors_, int64_t(valued_)}; }

  private:
    int64_t kind_in(int64_t kind, uint64_t field) const {
        for (int64_t i = leads_.starts[kind]; i < leads_.starts[kind + 1]; i++)
            if (uint64_t(leads_.fields[i]) == field) return leads_.kinds[i];
        return OTHER;
    }

    // Keeps all fields of a list's message besides the list.
    bool others(Bytes bytes, int64_t field) {
        while (!bytes.empty()) {
            const uint8_t* begin = bytes.at;
            uint64_t tag;
            if (!bytes.varint(tag) || tag >> 3 == 0) return false;
            if (tag >> 3 == uint64_t(field) && (tag & 7) != LENGTH) return false;
            if (!bytes.skip_field(tag & 7)) return false;
            if (tag >> 3 != uint64_t(field) && !keep(begin, size_t(bytes.at - begin))) return false;
        }
        cut_.key_ends[keys_++] = int64_t(keyed_);
        return true;
    }

    // Ends the key of a part. If the part before has the same, it is not kept again.
    void finish(size_t start) {
        size_t size = keyed_ - start;
        bool is_same = parts_ > 0 && size == last_size_ && std::memcmp(cut_.keys + last_, cut_.keys + start, size) == 0;
        if (is_same) {
            keyed_ = start;
        } else {
            last_ = start;
            last_size_ = size;
            cut_.key_ends[keys_++] = int64_t(keyed_);
        }
        cut_.key_of[parts_] = keys_ - 1;
        cut_.vector_ends[parts_++] = vectors_;
    }

    bool within(Bytes part, int64_t kind, int depth) {
        if (key_room_ - keyed_ < LENGTH_BYTES) return false;
        size_t start = keyed_;
        keyed_ += LENGTH_BYTES;
        if (!message(part, kind, depth + 1)) return false;
        uint32_t size = uint32_t(keyed_ - start - LENGTH_BYTES);
        std::memcpy(cut_.keys + start, &size, LENGTH_BYTES);
        return true;
    }

    bool values(Bytes part) {
        if (part.empty() || part.size() % sizeof(float) || vectors_ == MAX_CUT) return false;
        size_t count = part.size() / sizeof(float);
        if (count > value_room_ - valued_) return false;
        std::memcpy(cut_.values + valued_, part.at, part.size());
        valued_ += count;
        cut_.value_places[vectors_] = part.at - request_;
        cut_.value_ends[vectors_++] = int64_t(valued_);
        return true;
    }

    bool keep(const uint8_t* from, size_t count) {
        if (count > key_room_ - keyed_) return false;
        std::memcpy(cut_.keys + keyed_, from, count);
        keyed_ += count;
        return true;
    }

    const uint8_t* request_;
    const Leads& leads_;
    const Cut& cut_;
    const size_t key_room_, value_room_;
    size_t keyed_ = 0, valued_ = 0, last_ = 0, last_size_ = 0;
    int64_t parts_ = 0, keys_ = 0, vectors_ = 0;
};

}  // namespace

int32_t hw_request_cut(const uint8_t* request, size_t length, const Leads* leads, const Cut* cut, CutSizes* sizes) {
    Cutter cutter(request, *leads, *cut);
    Bytes bytes{request, request + length};
    bool done = leads->list ? cutter.list(bytes, leads->list, 0) : cutter.single(bytes, 0);
    if (!done) return UNUSUAL;
    cutter.tell(*sizes);
    return DONE;
}
