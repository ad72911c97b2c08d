"""Reads a disassembly (objdump -d -C) and checks the kernels that are compiled for AVX2: most use its registers, and none
calls a function that works on packed samples with the old ones."""
import re
import sys

COPY = "_avx_avx2_bmi1_bmi2_version"
# Packed arithmetic on 16-byte registers; copies and single numbers are no sign of a kernel.
PACKED = re.compile(r"\bp(add|sub|mul|madd|min|max|avg|ack|unpck|sll|srl|sra|cmp)\w+\s|\b(add|sub|mul|div|min|max|cvt\w+2)p[sd]\s")
# Fewer than so many are the setting-up of a state, not a loop over samples.
KERNEL = 16

functions = {}  # address: [name, wide instructions, packed narrow instructions, addresses called]
for line in sys.stdin:
    head = re.match(r"^([0-9a-f]+) <(.*)>:$", line)
    if head:
        here = functions.setdefault(head[1].lstrip("0"), [head[2], 0, 0, []])
        continue
    if "\t" not in line:
        continue
    if "%ymm" in line:
        here[1] += 1
    elif "%xmm" in line and not re.search(r"\tv", line) and PACKED.search(line):
        here[2] += 1
    call = re.search(r"\t(?:call|jmp)\s+([0-9a-f]+) <[^+>]*>$", line.rstrip())
    if call:
        here[3].append(call[1].lstrip("0"))

copies = [function for function in functions.values() if function[0].endswith(COPY)]
wide = [function for function in copies if function[1] > 0]
narrow = [function for function in functions.values() if function[2] >= KERNEL and "plimsoll" in function[0]]
print(f"wide: {len(copies)} kernels compiled for AVX2, {len(wide)} of them with wide instructions")
problems = []
# Copies of rows (crop, flip, bands) need none; all others do.
if len(copies) < 100 or len(wide) < len(copies) * 9 // 10:
    problems.append("too few: is a kernel or a helper with a loop not #[inline(always)]?")
# What is looked for can be found: the same kernels for older processors are full of it.
if len(narrow) < 50:
    problems.append(f"only {len(narrow)} kernels for older processors are recognised: this check has gone blind")
for name, _, _, calls in copies:
    for called in calls:
        other = functions.get(called)
        if other and other[2] >= KERNEL and not other[0].endswith(COPY):
            problems.append(f"{name} calls {other[0]}, which is compiled for older processors")
for problem in sorted(set(problems)):
    print(f"wide: {problem}")
sys.exit(bool(problems))
