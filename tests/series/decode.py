#!/usr/bin/env python3
"""Prints the points of series blocks as text: an independent decoder, written from core/src/series/FORMAT.md.

usage: decode.py BLOCKS.bin ...   one line a point: the timestamp, then the bits of each value in hexadecimal
"""
import struct
import sys

RATES = [26214, 18724, 14563, 11915, 10082, 8738, 7710, 6898, 6241, 5461, 4681, 4096, 3640, 3276, 2730, 2048]
BITS = [32, 64, 32, 64]


def crc32c(data):
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def wrap(x, bits=64):
    x &= (1 << bits) - 1
    return x - (1 << bits) if x >> bits - 1 else x


def clamp(x, bits):
    return max(-(1 << bits), min(1 << bits, x))


def trunc(a, b):
    return abs(a) // b * (1 if a >= 0 else -1)


def unfold(n):
    return n >> 1 if n & 1 == 0 else -(n >> 1) - 1


def log(x, width):
    y = 2 * min(abs(x), 1 << width - 4) + 1
    w = y.bit_length() - 1
    return 32 * w + ((y << 5 >> w) & 31)


def even(count):
    return [[2048, 0] for _ in range(count)]


def seldom():
    return [4000, 6]


class Coder:
    def long(self, n):
        value = 0
        while n > 0:
            now = min(n, 16)
            value = value << now | self.raw(now)
            n -= now
        return value

    def number(self):
        return self.long(min(self.raw(7), 64))

    def signed(self):
        return unfold(self.number())


class Arith(Coder):
    plain = False

    def __init__(self, payload):
        self.payload, self.at, self.code, self.range = payload, 4, 0, 0xFFFFFFFF
        for byte in (payload[:4] + bytes(4))[:4]:
            self.code = self.code << 8 | byte

    def widen(self):
        while self.range < 1 << 24:
            byte = self.payload[self.at] if self.at < len(self.payload) else 0
            self.at += 1
            self.range = self.range << 8
            self.code = (self.code << 8 | byte) & 0xFFFFFFFF

    def bit(self, prob):
        return self.decide((self.range >> 12) * max(prob[0], 1), prob)

    def either(self, prob, steady):
        zero, seen = steady
        w = min(seen + 2, 10)
        bit = self.decide((self.range >> 16) * (prob[0] * (16 - w) + (zero * w >> 4)), prob)
        end = 32 if bit else 65504
        steady[:] = [zero + ((end - zero) * (65536 // min(2 * seen + 3, 256)) + 16384 >> 15), min(seen + 1, 127)]
        return bit

    def decide(self, cut, prob):
        p, seen = prob
        bit = int(self.code >= cut)
        if bit:
            self.code -= cut
            self.range -= cut
            prob[0] = p - (p * RATES[seen] + 32768 >> 16)
        else:
            self.range = cut
            prob[0] = p + ((4095 - p) * RATES[seen] + 32768 >> 16)
        prob[1] = min(seen + 1, 15)
        self.widen()
        return bit

    def raw(self, n):
        self.range >>= n
        value = min(self.code // self.range, (1 << n) - 1)
        self.code -= value * self.range
        self.widen()
        return value


class Bits(Coder):
    plain = True

    def __init__(self, payload):
        self.payload, self.at = payload, 0  # in bits

    def raw(self, n):
        value = 0
        for place in range(n):
            byte = self.at >> 3
            bit = self.payload[byte] >> (self.at & 7) & 1 if byte < len(self.payload) else 0
            value |= bit << place
            self.at += 1
        return value

    def bit(self, _):
        return self.raw(1)

    def align(self):
        self.at = (self.at + 7) // 8 * 8


class ByLength:
    """FORMAT.md, section 7, second opinions."""

    def __init__(self):
        row = lambda: [[32768, 0] for _ in range(4)] + [[64000, 6], [64000, 6]] + [[32768, 0] for _ in range(37)]
        self.rows, self.shared = [row() for _ in range(12)], [[32768, 0] for _ in range(107)]
        self.last = self.before = self.beside = self.side = 0


class Model:
    def __init__(self, classes, lengths, short, opinion=None):
        self.opinion = opinion
        self.c, self.n, self.short = classes, lengths, short
        self.zero = [even(4) for _ in range(classes)]
        self.sign = even(3)
        self.length = [[seldom(), seldom()] + even(37) for _ in range(classes)]
        self.second = even(lengths)
        self.third = [even(2) for _ in range(lengths)]
        self.fourth = [even(4) for _ in range(short)]
        self.fast = self.slow = self.zeros = self.last_sign = 0

    def decide(self, coder, prob, place, shared):
        o = self.opinion
        if o is None:
            return coder.bit(prob)
        steady = o.shared[place] if shared else o.rows[min(max(o.last, o.before, o.beside), 11)][place]
        return coder.either(prob, steady)

    def hear(self, beside):
        o = self.opinion
        if o:
            o.beside = abs(beside).bit_length()
            o.side = (1 + (beside > 0) + 2 * (16 * o.beside >= self.slow)) if beside else 0

    def follow(self, k):
        if self.opinion:
            self.opinion.last, self.opinion.before = k, self.opinion.last
        if self.c > 1:
            self.fast += trunc(16 * k - self.fast, 3)
            self.slow += trunc(16 * k - self.slow, 16)

    def code(self, coder, width):
        d = self.fast - self.slow
        c = 0 if self.c == 1 or d < -12 else 1 if d < 12 else 2
        if not self.decide(coder, self.zero[c][self.zeros], self.zeros, False):
            self.zeros = min(self.zeros + 1, 3)
            self.follow(0)
            return 0
        self.zeros = 0
        negative = self.decide(coder, self.sign[self.last_sign], self.last_sign + 3 * (self.opinion.side if self.opinion else 0), True)
        self.last_sign = 1 + negative
        tree, node = self.length[c], 1
        if self.decide(coder, tree[0], 4, False):
            for _ in range(3):
                node = 2 * node + self.decide(coder, tree[31 + node], 35 + node, False)
            length = 32 + (node - 8) * 4 + coder.raw(2)
        else:
            for _ in range(5):
                node = 2 * node + self.decide(coder, tree[node], 4 + node, False)
            length = node - 32
        length = min(length, width - 1)
        at, left, m = min(length, self.n - 1), length, 1
        if left > 0:
            s = self.decide(coder, self.second[at], 15 + at, True)
            m, left = 2 * m + s, left - 1
            if left > 0:
                t = self.decide(coder, self.third[at][s], 35 + 2 * at + s, True)
                m, left = 2 * m + t, left - 1
                if left > 0 and length < self.short:
                    f = self.decide(coder, self.fourth[length][2 * s + t], 75 + 4 * length + 2 * s + t, True)
                    m, left = 2 * m + f, left - 1
        m = m << left | coder.long(left)
        self.follow(length + 1)
        return -m if negative else m


class Rice:
    def __init__(self):
        self.mean = 16

    def code(self, coder, width):
        bits = min(max((self.mean >> 4).bit_length() - 1, 0), width - 1)
        count = 0
        while count < 20 and coder.raw(1):
            count += 1
        folded = coder.number() if count == 20 else count << bits | coder.long(bits)
        self.mean += min(folded, 1 << 59) - (self.mean >> 4)
        return unfold(folded)


class Near:
    def __init__(self):
        self.away, self.spread = even(1), Rice()

    def code(self, coder, width):
        return self.spread.code(coder, width) if coder.bit(self.away[0]) else 0


def fold(x):
    return 2 * x if x >= 0 else -2 * x - 1


class Steps:
    """FORMAT.md, section 7, lean."""

    def __init__(self, rows):
        self.rows = [even(15) for _ in range(rows)]
        self.level, self.seen, self.longer = 512, 0, 0

    def code(self, coder, width):
        row = self.level >> 6 if self.level < 256 else 4 + (self.level >> 6 & 1)
        if len(self.rows) > 6 and self.longer:
            row += 6
        below, step = min(max((self.level >> 7) - 1, 0), width - 1), 0
        while step < 15 and coder.bit(self.rows[row][step]):
            step += 1
        if step < 4:
            folded = step << below | coder.long(below)
        elif step < 15:
            below = min(below + step // 2 - 1, 64)
            folded = (2 | step & 1) << below | coder.long(below)
        else:
            folded = coder.number()
        residual = wrap(unfold(folded & (1 << width) - 1), width)
        length = fold(residual).bit_length() << 7
        rate = 1 if self.seen < 2 else 2 if self.seen < 6 else 3 if self.seen < 14 else 4
        self.seen = min(self.seen + 1, 14)
        self.longer = length > self.level
        self.level += length - self.level >> rate
        return residual


class Habit:
    def __init__(self):
        self.value = self.count = 0

    def see(self, d):
        if d == self.value:
            self.count = min(self.count + 1, 24)
        else:
            self.count -= 1
            if self.count < 0:
                self.value, self.count = d, 1


class Beat:
    def __init__(self, first, model):
        self.last, self.model = first, model
        self.change(1)

    def change(self, unit):
        self.unit, self.difference, self.mean, self.phase, self.seen = unit, 0, 0, 0, 0
        self.habit, self.costs, self.escaped, self.escape = Habit(), [0] * 4, 0, [seldom(), [2048, 0]]

    def code(self, coder):
        if self.unit > 1:
            self.escaped = coder.bit(self.escape[self.escaped])
            if self.escaped:
                self.last = wrap(self.last + coder.signed())
                return self.last
        each = [self.difference, self.habit.value, self.mean >> 8, wrap(self.mean + self.phase) >> 8]
        d = wrap(each[self.costs.index(min(self.costs))] + self.model.code(coder, 64))
        for i in range(4):
            self.costs[i] += (log(wrap(d - each[i]), 64) << 8) - (self.costs[i] >> 4)
        self.habit.see(d)
        self.difference = d
        m = clamp(d, 44) << 8
        if self.seen == 0:
            self.mean, self.seen = m, 1
        else:
            e = m - self.mean - self.phase
            a, b = (1, 2) if self.seen < 8 else (3, 6)
            self.phase = clamp(self.mean + self.phase + (e >> a) - m, 54)
            self.mean = clamp(self.mean + (e >> b), 54)
            self.seen = min(self.seen + 1, 8)
        self.last = wrap(self.last + d * self.unit)
        return self.last


class Bank:
    def __init__(self, first, order, width):
        self.w = width
        self.f, self.m, self.t = (8, 44, 54) if width == 64 else (4, 23, 28)
        self.last, self.level, self.quick, self.steady, self.mean = first, 0, [0, 0], [0, 0], 0
        self.habit, self.d, self.costs, self.seen = Habit(), [0] * order, [0] * 8, 1
        self.weights = [1 << 18] + [0] * (order - 1)

    def expect(self):
        w, f, last = self.w, self.f, self.last
        self.shift = max(0, max(abs(d) for d in self.d).bit_length() - 12)
        self.q = [d >> self.shift for d in self.d]
        s = sum(q * (weight >> 7) for q, weight in zip(self.q, self.weights))
        filtered = s >> 13 - self.shift if self.shift < 13 else s << self.shift - 13
        moves = [0, self.d[0], self.level >> f, sum(self.quick) >> f, self.mean >> f, filtered,
                 sum(self.steady) >> f, self.habit.value]
        self.each = [wrap(last + move, w) for move in moves]
        order = sorted(range(8), key=lambda i: self.costs[i])
        self.beside = wrap(self.each[order[1]] - self.each[order[0]], w)
        return self.each[order[0]]

    def learn(self, z):
        w = self.w
        for i in range(8):
            self.costs[i] += (log(wrap(z - self.each[i], w), w) << 13 - self.memory) - (self.costs[i] >> self.memory)
        e = clamp(wrap(z - self.each[5], w) >> self.shift, 14)
        n = sum(q * q for q in self.q)
        g = clamp(trunc(e << 14, (n >> 6) + 1) >> 8, 17)
        self.weights = [clamp(v + (g * q << 1), 21) for v, q in zip(self.weights, self.q)]
        d = wrap(z - self.last, w)
        self.habit.see(d)
        d = clamp(d, self.m)
        self.d = [d] + self.d[:-1]
        m = d << self.f
        if self.seen == 1:
            self.mean = self.quick[1] = self.steady[1] = m
            self.level, self.seen = -(m >> 1), 2
        else:
            self.level = clamp(self.level + (m - self.level >> 2) - m, self.t)
            for p, a, b in (self.quick, 1, 3), (self.steady, 3, 7):
                x = p[0] + p[1]
                e = m - x
                p[0], p[1] = clamp(x + (e >> a) - m, self.t), clamp(p[1] + (e >> b), self.t)
            r = 1 if self.seen < 3 else 2 if self.seen < 6 else 3 if self.seen < 12 else 4
            self.mean = wrap(self.mean + (m - self.mean >> r), w)
            self.seen = min(self.seen + 1, 16)
        self.last = z


class Few:
    """FORMAT.md, section 8, lean."""

    def __init__(self, first, _, width):
        self.w, self.f, self.m = width, 8 if width == 64 else 4, 44 if width == 64 else 23
        self.last, self.level, self.quick, self.steady, self.seen = first, 0, [0, 0], [0, 0], False
        self.d, self.weights, self.costs = [0] * 4, [1 << 18, 0, 0, 0], [0] * 6

    def expect(self):
        w, f = self.w, self.f
        everything = 0
        for d in self.d:
            everything |= abs(d)
        shift = max(0, everything.bit_length() - 12)
        self.q = [wrap(d >> shift, 32) for d in self.d]
        s = wrap(sum(q * (weight >> 7) for q, weight in zip(self.q, self.weights)), 32)
        filtered = s >> 13 - shift if shift < 13 else wrap(s << min(shift - 13, w - 1), w)
        moves = [0, self.d[0], self.level >> f, wrap(sum(self.quick), w) >> f, wrap(sum(self.steady), w) >> f, filtered]
        self.each = [wrap(self.last + move, w) for move in moves]
        return self.each[self.costs.index(min(self.costs))]

    def learn(self, z):
        w = self.w
        for i in range(6):
            off = min(abs(wrap(z - self.each[i], w)), 1 << w - 8)
            self.costs[i] = wrap(self.costs[i] - (self.costs[i] >> 5) + off, w)
        e = wrap(z - self.each[5], w)
        sign = (e > 0) - (e < 0)
        self.weights = [wrap(v + 4 * sign * q, 32) for v, q in zip(self.weights, self.q)]
        d = clamp(wrap(z - self.last, w), self.m)
        self.d, self.last = [d] + self.d[:-1], z
        m = d << self.f
        if not self.seen:
            self.quick[1], self.steady[1], self.level, self.seen = m, m, -(m >> 1), True
            return
        self.level = wrap(self.level + (wrap(m - self.level, w) >> 2) - m, w)
        for p, a, b in (self.quick, 1, 3), (self.steady, 3, 7):
            e = wrap(m - wrap(p[0] + p[1], w), w)
            p[0], p[1] = wrap((e >> a) - e, w), wrap(p[1] + (e >> b), w)


class Recall:
    def __init__(self, width, bits, model):
        self.w, self.all, self.history, self.gain = width, [], 0, 0
        self.bits, self.count, self.model = bits, 1 << bits, model
        self.by, self.which = even(8), even(self.count)

    def code(self, coder):
        if self.gain <= 0:
            return None
        by = coder.bit(self.by[self.history & 7])
        self.history = self.history << 1 | by
        if not by:
            return None
        node = 1
        for _ in range(self.bits):
            node = 2 * node + coder.bit(self.which[node])
        near = (self.all + [0] * self.count)[node - self.count]
        return wrap(near + self.model.code(coder, self.w), self.w)

    def learn(self, z, expected):
        distances = [abs(wrap(z - other, self.w)) for other in self.all]
        near = min(distances).bit_length() if distances else self.w
        far = abs(wrap(z - expected, self.w)).bit_length()
        pays = bool(distances) and near + self.bits + 1 < far
        saved = 16 * (far - near - self.bits - 1) if pays else -12
        self.gain += saved - self.gain >> 4
        if distances and (pays or near == 0):
            del self.all[distances.index(min(distances))]
        self.all = ([z] + self.all)[:self.count]


def power(digits):
    return float(10 ** digits)


def moved(bits, width, by):
    mask = (1 << width - 1) - 1
    order = lambda x: x if x >= 0 else wrap(x ^ mask, width)
    return order(wrap(order(wrap(bits, width)) + by, width)) & (1 << width) - 1


def to_float(x, width):
    if width == 64:
        return struct.unpack("<Q", struct.pack("<d", x))[0]
    try:
        return struct.unpack("<I", struct.pack("<f", x))[0]
    except OverflowError:
        return 0x7F800000 if x > 0 else 0xFF800000


def lattice(coder):
    tag = coder.raw(2)
    if tag == 0:
        return "integer", coder.number(), coder.signed()
    if tag == 1:
        return "decimal", coder.raw(5)
    if tag == 2:
        return "bits", coder.raw(6)
    return "grid", struct.unpack("<d", struct.pack("<Q", coder.long(64)))[0]


def value(front, width, index, ulps):
    mask = (1 << width) - 1
    if front[0] == "integer":
        return front[2] + index * front[1] & mask
    if front[0] == "decimal":
        return moved(to_float(index / power(front[1]), width), width, ulps)
    if front[0] == "bits":
        at = index << front[1] if index >= 0 else ~(~index << front[1])
        return moved(0, width, wrap(at, width))
    return to_float(index * front[1], width)


class Column:
    def __init__(self, kind, coding):
        self.width, self.coding, self.started, self.flags = BITS[kind], coding, False, True
        self.lanes = 32 if kind == 0 else 64
        self.front = ("decimal", 0) if kind >= 2 else ("integer", 1, 0)
        self.model = {0: lambda: Model(1, 12, 8), 1: lambda: Model(3, 20, 8), 2: Rice, 3: Rice,
                      4: lambda: Steps(12), 5: lambda: Model(3, 20, 8, ByLength())}[coding]()
        self.predictors = Few if coding == 4 else Bank
        self.memory = 7 if coding == 5 else 5
        self.recall = None
        if coding == 0:
            self.recall = Recall(self.lanes, 3, Near())
        elif coding in (1, 5):
            self.recall = Recall(self.lanes, 5, Model(1, 20, 8))
        self.order = {0: 8, 1: 16, 2: 1, 3: 0, 4: 4, 5: 16}[coding]
        self.escaped, self.escape, self.new, self.escapes = 0, [seldom(), [2048, 0]], even(2), [0, 0]
        self.none, self.negative, self.further, self.corrected = [seldom(), [2048, 0]], [2048, 0], even(7), 0
        self.trail = [0, 0]

    def code(self, coder):
        self.escaped = coder.bit(self.escape[self.escaped]) if self.flags else 0
        if self.escaped:
            if not coder.bit(self.new[0]):
                return self.escapes[0]
            word = coder.long(self.width) if coder.bit(self.new[1]) else self.escapes[1]
            self.escapes = [word, self.escapes[0]]
            return word
        if not self.started:
            index = wrap(coder.signed(), self.lanes)
            self.bank, self.started = self.predictors(index, self.order, self.lanes), True
            self.bank.memory = self.memory
        else:
            expected = self.bank.expect()
            index = self.recall.code(coder) if self.recall else None
            if self.coding == 5:
                self.model.hear(self.bank.beside)
            if index is None:
                index = wrap(expected + self.model.code(coder, self.lanes), self.lanes)
            if self.recall:
                self.recall.learn(index, expected)
            self.bank.learn(index)
        ulps = 0
        if self.front[0] == "decimal" and self.flags:
            self.corrected = coder.bit(self.none[self.corrected])
            if self.corrected:
                negative, ulps = coder.bit(self.negative), 1
                while ulps < 7 and coder.bit(self.further[ulps - 1]):
                    ulps += 1
                ulps = -ulps if negative else ulps
        return value(self.front, self.width, index, ulps)


def section(payload, at, count, trail, size):
    """One section of pack: the indices, corrections, escapes, and where it ends."""
    tag, at = payload[at], at + 1
    eights = (count + 7) // 8
    if tag >> 2 & 3 == 0:
        widths = [0] * eights
    elif tag >> 2 & 3 == 1:
        widths = [payload[at + i // 2] >> 4 * (i % 2) & 15 for i in range(eights)]
        at += (eights + 1) // 2
    else:
        widths = list(payload[at:at + eights])
        at += eights
    indices = []
    for width in widths:
        eight = int.from_bytes(payload[at:at + width], "little")
        at += width
        for i in range(min(8, count - len(indices))):
            residual = unfold(eight >> i * width & (1 << width) - 1)
            last, before = trail
            index = wrap((residual, last + residual, last + before + residual)[tag & 3])
            trail[:] = [index, wrap(index - last)]
            indices.append(index)
    ulps, escapes = [0] * count, {}
    if tag & 16:
        ulps = [(payload[at + i // 2] >> 4 * (i % 2) & 15) - 7 for i in range(count)]
        at += (count + 1) // 2
    if tag & 32:
        mask = int.from_bytes(payload[at:at + (count + 7) // 8], "little")
        at += (count + 7) // 8
        for i in range(count):
            if mask >> i & 1:
                escapes[i] = int.from_bytes(payload[at:at + size], "little")
                at += size
    return indices, ulps, escapes, at


def points(payload, coding, count, first, kinds):
    coder = Bits(payload) if coding in (2, 3) else Arith(payload)
    columns = [Column(kind, coding) for kind in kinds]
    beat = Beat(first, Rice() if coding == 2 else Steps(6) if coding == 4 else Model(1, 8, 0))
    partial, stored_flag, changes, trail = seldom(), seldom(), seldom(), [0, 0]
    while count > 0:
        group = 6 if coding == 3 else 5
        size = 1 + coder.raw(group) if coder.bit(partial) else 1 << group
        stored = coder.bit(stored_flag)
        if not stored and coder.bit(changes):
            if coder.raw(1):
                beat.change(coder.number())
                trail = [0, 0]
            for column in columns:
                if coder.raw(1):
                    column.front, column.started, column.trail = lattice(coder), False, [0, 0]
        if coding == 3:
            coder.align()
        elif coding == 2 and not stored:
            for column in columns:
                column.flags = coder.raw(1) == 1
        if coding == 3 and not stored:
            at = coder.at // 8
            before = trail[0]
            indices, _, _, at = section(payload, at, size, trail, 8)
            times = []
            for index in indices:
                beat.last = wrap(beat.last + wrap(index - before) * beat.unit)
                before = index
                times.append(beat.last)
            rows = [[time] for time in times]
            for column in columns:
                indices, ulps, escapes, at = section(payload, at, size, column.trail, column.width // 8)
                for i, row in enumerate(rows):
                    row.append(escapes.get(i, value(column.front, column.width, indices[i], ulps[i])))
            coder.at = 8 * at
            yield from rows
        else:
            for _ in range(size):
                if not stored:
                    yield [beat.code(coder)] + [column.code(coder) for column in columns]
                    continue
                read = (lambda n: int.from_bytes(bytes(coder.raw(8) for _ in range(n // 8)), "little")) \
                    if coding == 3 else coder.long
                beat.last = wrap(read(64))
                row = [beat.last]
                for column in columns:
                    row.append(read(column.width))
                    column.started = False
                yield row
        count -= size


def leb128(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return value, at


def block(data):
    """Prints the block at the start of `data`; returns its length."""
    assert data[:2] == b"\xd3\x9c", "sync mark"
    version, coding = data[2] >> 4, data[2] & 15
    assert version == 1 and coding < 6, "version"
    columns, ranges = (data[3] & 7) + 1, data[3] >> 6 & 1
    at = 4 + (columns + 1) // 2
    kinds = [data[4 + i // 2] >> 4 * (i % 2) & 3 for i in range(columns)]
    payload_bytes, at = leb128(data, at)
    count, at = leb128(data, at)
    first, at = leb128(data, at)
    _, at = leb128(data, at)
    _, at = leb128(data, at)
    at += 24 * columns * ranges
    assert data[at] == crc32c(data[:at]) & 255, "header check"
    end = at + 1 + payload_bytes
    assert struct.unpack("<I", data[end:end + 4])[0] == crc32c(data[:end]), "check sum"
    for time, *words in points(data[at + 1:end], coding, count, unfold(first), kinds):
        print(time, *(f"{word:x}" for word in words))
    return end + 4


def main():
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            data = file.read()
        while data:
            data = data[block(data):]


if __name__ == "__main__":
    main()
