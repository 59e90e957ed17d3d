// The points of a request as columns: ids, payloads, and one matrix for each space.

#include <algorithm>
#include <new>

#include "payloads.h"
#include "wire.h"

namespace {

const size_t MAX_ID_BYTES = 512;  // of storage/tables/keys.py

// Fields of points.proto and common.proto.
const uint32_t POINT_FIELD = 2, POINT = tag_of(POINT_FIELD, LENGTH);
const uint32_t ID = tag_of(1, LENGTH), VECTOR = tag_of(2, LENGTH), PAYLOAD = tag_of(3, LENGTH);
const uint32_t NUMBER = tag_of(1, VARINT), KEY = tag_of(2, LENGTH);
const uint32_t SPACE = tag_of(1, LENGTH), KIND = tag_of(2, LENGTH), DENSE = tag_of(1, LENGTH), VALUES = tag_of(1, LENGTH);
const uint32_t PLAIN_VALUES = tag_of(6, LENGTH), RAW = tag_of(7, LENGTH);

// The spaces that points have vectors in, in the order in which they appear.
class Spaces {
  public:
    struct Space {
        Bytes name;
        size_t components;
        int64_t rows;
        int64_t last_point;
    };

    int64_t count() const { return count_; }
    const Space& operator[](int64_t index) const { return spaces_[index]; }

    // The number of the space; -1: there are too many, or the point has a vector there, or vectors differ in size.
    int64_t enter(Bytes name, size_t components, int64_t point) {
        int64_t index = next_;
        if (index >= count_ || !same(spaces_[index].name, name))
            for (index = 0; index < count_ && !same(spaces_[index].name, name);) index++;
        if (index == count_) {
            if (count_ == MAX_SPACES || !is_utf8(name)) return -1;
            spaces_[count_++] = {name, components, 0, -1};
        }
        Space& space = spaces_[index];
        if (space.components != components || space.last_point == point) return -1;
        space.last_point = point;
        space.rows++;
        next_ = index + 1 < count_ ? index + 1 : 0;  // points mostly have the same spaces in the same order
        return index;
    }

  private:
    Space spaces_[MAX_SPACES];
    int64_t count_ = 0;
    int64_t next_ = 0;
};

struct Id {
    uint64_t number;
    Bytes key;  // begins nowhere: the id is a number
};

bool read_id(Bytes message, Id& id) {
    id = {0, {nullptr, nullptr}};
    if (message.tag(NUMBER)) return message.varint(id.number) && message.empty();
    return message.tag(KEY) && message.part(id.key) && message.empty() && !id.key.empty() &&
           id.key.size() <= MAX_ID_BYTES && is_utf8(id.key);
}

// Reads a vector. Only dense ones with packed components are known; all three forms hold the same bytes.
bool read_components(Bytes kind, Bytes& components) {
    if (kind.tag(PLAIN_VALUES) || kind.tag(RAW)) return kind.part(components) && kind.empty();
    Bytes dense;
    return kind.tag(DENSE) && kind.part(dense) && kind.empty() && dense.tag(VALUES) && dense.part(components) &&
           dense.empty();
}

// Reads an entry of a point's vectors.
bool read_vector(Bytes entry, Bytes& name, Bytes& components) {
    Bytes kind;
    name = {entry.at, entry.at};
    if (entry.tag(SPACE) && !entry.part(name)) return false;
    if (!entry.tag(KIND) || !entry.part(kind) || !entry.empty()) return false;
    return read_components(kind, components) && !components.empty() && components.size() % sizeof(float) == 0;
}

// Reads a point: `visit` gets its id, its vectors and its payload, and says whether to go on.
template <class Visit>
bool read_point(Bytes point, bool with_payloads, int64_t number, Spaces& spaces, Visit& visit) {
    bool has_id = false, has_payload = false, has_vector = false;
    while (!point.empty()) {
        uint32_t tag = *point.at++;
        Bytes inner, name, components;
        if (!point.part(inner)) return false;
        if (tag == ID && !has_id) {
            Id id;
            if (!read_id(inner, id) || !visit.id(number, id)) return false;
            has_id = true;
        } else if (tag == VECTOR) {
            if (!read_vector(inner, name, components)) return false;
            int64_t space = spaces.enter(name, components.size() / sizeof(float), number);
            if (space < 0 || !visit.vector(number, space, spaces[space].rows - 1, components)) return false;
            has_vector = true;
        } else if (tag == PAYLOAD && with_payloads && !has_payload) {
            if (!visit.payload(inner)) return false;
            has_payload = true;
        } else {
            return false;
        }
    }
    return has_id && (with_payloads || has_vector) && visit.end(number);
}

template <class Visit>
bool read_request(Bytes request, bool with_payloads, Spaces& spaces, Visit& visit) {
    int64_t points = 0;
    while (!request.empty()) {
        const uint8_t* begin = request.at;
        uint64_t tag;
        if (!request.varint(tag)) return false;
        if (tag == POINT) {
            Bytes point;
            if (!request.part(point) || !read_point(point, with_payloads, points++, spaces, visit)) return false;
        } else {
            if (tag >> 3 == POINT_FIELD || !request.skip_field(tag & 7)) return false;
            if (!visit.rest({begin, request.at})) return false;
        }
    }
    return points > 0;
}

struct Measure {
    Sizes sizes{};

    bool id(int64_t, const Id&) { return true; }
    bool vector(int64_t, int64_t, int64_t, Bytes) { return true; }
    bool payload(Bytes payload) { return sizes.payload_bytes += int64_t(payload.size()), true; }
    bool end(int64_t) { return sizes.points++, true; }
    bool rest(Bytes field) { return sizes.rest_bytes += int64_t(field.size()), true; }
};

// Copies float32 components; false: one is not finite.
bool copy_finite(Bytes components, float* out) {
    const size_t count = components.size() / sizeof(float);
    uint32_t odd = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        std::memcpy(&bits, components.at + sizeof(float) * i, sizeof(float));
        std::memcpy(out + i, &bits, sizeof(float));
        odd |= (bits & 0x7F800000u) == 0x7F800000u;
    }
    return odd == 0;
}

struct Fill {
    const uint8_t* request;
    const Sizes& sizes;
    const SpaceSizes* spaces;
    const Columns& columns;
    int64_t payload_bytes = 0, rest_bytes = 0;
    PayloadCopy payloads{};

    bool id(int64_t point, const Id& id) {
        if (point >= sizes.points) return false;
        bool is_key = id.key.at != nullptr;
        columns.numbers[point] = id.number;
        columns.keys[2 * point] = is_key ? id.key.at - request : -1;
        columns.keys[2 * point + 1] = is_key ? id.key.end - request : -1;
        return true;
    }

    bool vector(int64_t point, int64_t space, int64_t row, Bytes components) {
        if (space >= sizes.spaces || row >= spaces[space].rows) return false;
        size_t count = components.size() / sizeof(float);
        if (count != size_t(spaces[space].components)) return false;
        columns.positions[space][row] = point;
        return copy_finite(components, columns.matrices[space] + size_t(row) * count);
    }

    bool payload(Bytes payload) {
        if (int64_t(payload.size()) > sizes.payload_bytes - payload_bytes) return false;
        uint8_t* out = columns.payloads + payload_bytes;
        payload_bytes += int64_t(payload.size());
        return payloads.copy(payload, out);
    }

    bool end(int64_t point) {
        if (point >= sizes.points) return false;
        columns.payload_ends[point] = payload_bytes;
        return true;
    }

    bool rest(Bytes field) {
        if (int64_t(field.size()) > sizes.rest_bytes - rest_bytes) return false;
        std::memcpy(columns.rest + rest_bytes, field.at, field.size());
        rest_bytes += int64_t(field.size());
        return true;
    }
};

}  // namespace

const char* hw_source() { return HW_SOURCE; }

int32_t hw_points_measure(const uint8_t* request, size_t length, int32_t with_payloads, Sizes* sizes,
                          SpaceSizes* spaces) {
    Spaces found;
    Measure measure;
    if (!read_request({request, request + length}, with_payloads, found, measure)) return UNUSUAL;
    *sizes = measure.sizes;
    sizes->spaces = found.count();
    for (int64_t i = 0; i < found.count(); i++)
        spaces[i] = {found[i].name.at - request, found[i].name.end - request, found[i].rows,
                     int64_t(found[i].components)};
    return DONE;
}

int32_t hw_points_fill(const uint8_t* request, size_t length, int32_t with_payloads, const Sizes* sizes,
                       const SpaceSizes* spaces, const Columns* columns) {
    try {
        Spaces found;
        Fill fill{request, *sizes, spaces, *columns};
        return read_request({request, request + length}, with_payloads, found, fill) ? DONE : UNUSUAL;
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}
