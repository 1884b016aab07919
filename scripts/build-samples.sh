#!/usr/bin/env bash
# Builds the sample kernels and modules of samples/ into samples/bin, or into the directory given.
#
# The output depends on the sources and the toolchain alone: no time stamps, no paths, no build IDs. It comes
# with SOURCES.sha256 and TOOLCHAIN, by which a test tells stale binaries from those of another toolchain.
# The kernel is linked three times, as Linux is: the kallsyms tables hold addresses of the image they are in.
set -euo pipefail

readonly PREFIX=aarch64-linux-gnu-
for tool in "${PREFIX}gcc" "${PREFIX}ld.bfd" "${PREFIX}nm" "${PREFIX}objcopy" ld.lld node gzip; do
  command -v "$tool" >/dev/null || {
    echo "build-samples: $tool is missing; apt-get install gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu lld gzip nodejs" >&2
    exit 2
  }
done

export LC_ALL=C SOURCE_DATE_EPOCH=0
mkdir -p "${1:-$(dirname "$0")/../samples/bin}"
TARGET=$(cd "${1:-$(dirname "$0")/../samples/bin}" && pwd)
cd "$(dirname "$0")/.."
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
readonly OUT=$TMP/out # copied to TARGET once everything is built
mkdir "$OUT"

readonly CFLAGS=(-std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-pic -fno-pie -fno-common
  -fno-ident -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-stack-protector -fno-tree-loop-distribute-patterns
  -mgeneral-regs-only -mno-outline-atomics -mbranch-protection=none -ffile-prefix-map="$PWD"=. -ffile-prefix-map="$TMP"=.)
readonly KERNEL_SOURCES=(head.S string.c number.c queue.c lookup.c pool.c print.c percpu.c word.S assembly.c record.c
  vector.S vmcoreinfo.c version.c init.c)

# What differs between the kernels: the addresses, the tables' formats, the linker, struct module.
style_of() {
  STYLE=$1
  case $STYLE in
    4.6)
      DEFINES=(-DTEXT_ADDRESS=0xffff000008080000 -DTEXT_OFFSET=0x80000 -DSEGMENT_ALIGN=0x1000 -DVA_BITS=48
        -DKSYMTAB_ABSOLUTE -DTHIS_MODULE_SIZE=0x340 -DTHIS_MODULE_INIT=0x170 -DTHIS_MODULE_EXIT=0x2f8)
      BUILD_FLAGS='SMP PREEMPT' VERMAGIC_FLAGS='SMP preempt mod_unload aarch64' ;;
    6.1)
      DEFINES=(-DTEXT_ADDRESS=0xffff800008000000 -DTEXT_OFFSET=0 -DSEGMENT_ALIGN=0x1000 -DVA_BITS=48
        -DIMAGE_MZ=0xfa405a4d -DLONG_NAMES -DEXTABLE_TYPE=3 -DFTRACE_TRAMPOLINE
        -DTHIS_MODULE_SIZE=0x380 -DTHIS_MODULE_INIT=0x138 -DTHIS_MODULE_EXIT=0x340)
      BUILD_FLAGS='SMP' VERMAGIC_FLAGS='SMP mod_unload modversions aarch64' ;;
    6.12)
      DEFINES=(-DTEXT_ADDRESS=0xffff800080000000 -DTEXT_OFFSET=0 -DSEGMENT_ALIGN=0x10000 -DVA_BITS=52
        -DIMAGE_MZ=0xfa405a4d -DLONG_NAMES -DEXTABLE_TYPE=3 -DFTRACE_TRAMPOLINE
        -DTHIS_MODULE_SIZE=0x500 -DTHIS_MODULE_INIT=0x138 -DTHIS_MODULE_EXIT=0x4a8)
      BUILD_FLAGS='SMP PREEMPT' VERMAGIC_FLAGS='SMP preempt mod_unload aarch64' ;;
  esac
  DEFINES+=("-DRELEASE=\"$STYLE.0-kaslrkit\"" "-DBUILD_FLAGS=\"$BUILD_FLAGS\""
    "-DVERMAGIC=\"$STYLE.0-kaslrkit $VERMAGIC_FLAGS\"")
}

compile() { # SOURCE OBJECT FLAG...
  "${PREFIX}gcc" "${CFLAGS[@]}" "${DEFINES[@]}" "${@:3}" -c "$1" -o "$2"
}

linker_script() { # SOURCE OUTPUT
  "${PREFIX}gcc" -E -P -undef -x assembler-with-cpp "${DEFINES[@]}" "$1" -o "$2"
}

# Only ld.lld writes RELR for this target; the 6.12 kernel is its work, the older ones are GNU ld's.
link_kernel() { # OUTPUT OBJECT...
  local common=(-maarch64elf -shared -Bsymbolic -z notext -z defs -z max-page-size=4096 -X
    --no-apply-dynamic-relocs --build-id=none -T "$TMP/kernel.lds" -o "$@")
  if [ "$STYLE" = 6.12 ]; then
    ld.lld -O2 -z norelro --no-relax --pack-dyn-relocs=relr "${common[@]}"
  else
    "${PREFIX}ld.bfd" --no-warn-rwx-segments "${common[@]}"
  fi
}

build_kernel() {
  local source objects=() pass
  linker_script samples/kernel/kernel.lds.S "$TMP/kernel.lds"
  for source in "${KERNEL_SOURCES[@]}"; do
    compile "samples/kernel/$source" "$TMP/${source%.*}.o"
    objects+=("$TMP/${source%.*}.o")
  done
  link_kernel "$TMP/vmlinux" "${objects[@]}"
  for pass in 1 2 3; do
    "${PREFIX}nm" -n "$TMP/vmlinux" | node scripts/kallsyms.mjs "$STYLE" >"$TMP/kallsyms.$pass.S"
    if cmp -s "$TMP/kallsyms.$pass.S" "$TMP/kallsyms.$((pass - 1)).S"; then return; fi
    compile "$TMP/kallsyms.$pass.S" "$TMP/kallsyms.o"
    link_kernel "$TMP/vmlinux" "${objects[@]}" "$TMP/kallsyms.o"
  done
  echo "build-samples: the kallsyms tables of $STYLE do not settle" >&2
  return 1
}

# The checksums stand for those of the real thing, which describe types; here they are of the name alone.
write_versions() { # OBJECT...
  local name
  for name in module_layout $("${PREFIX}nm" -u "$@" | awk '$1 == "U" { print $2 }' | sort -u); do
    echo "version $name, $(printf %s "$name" | cksum | cut -d ' ' -f 1)"
  done
}

build_module() { # NAME DEPENDS SOURCE[:FLAG,FLAG]...
  local name=$1 part source flags objects=() modinfo=("-DMODULE_NAME=\"$1\"" "-DMODULE_DEPENDS=\"$2\"")
  for part in "${@:3}"; do
    source=${part%%:*}
    IFS=, read -r -a flags <<<"${part:${#source}+1}"
    compile "samples/module/$source" "$TMP/${source%.*}.o" "${flags[@]}"
    objects+=("$TMP/${source%.*}.o")
  done
  if [[ $VERMAGIC_FLAGS == *modversions* ]]; then
    write_versions "${objects[@]}" >"$TMP/versions.h"
    modinfo+=("-DMODULE_VERSIONS=\"$TMP/versions.h\"")
  fi
  compile samples/module/modinfo.S "$TMP/modinfo.o" "${modinfo[@]}"
  "${PREFIX}ld.bfd" -r -maarch64elf --build-id=none -T "$TMP/module.lds" -o "$OUT/$STYLE/$name.ko" \
    "${objects[@]}" "$TMP/modinfo.o"
}

build_modules() {
  linker_script samples/module/module.lds.S "$TMP/module.lds"
  build_module exporter '' exporter_static.c exporter.c
  build_module importer exporter importer.c fault.S
  build_module large '' many_calls.c:-mcmodel=large
  # The older kernel gets those that differ there: its __ksymtab, its __ex_table, ADRP under its erratum rule.
  if [ "$STYLE" = 4.6 ]; then return; fi
  build_module many_calls '' many_calls.c
  build_module percpu '' percpu.c
  build_module init_only '' init_only.c
  build_module large_literal '' many_calls.c:-mcmodel=large,-mpc-relative-literal-loads
  build_module large_movw '' large_movw.S
  build_module mixed '' many_calls.c:-mcmodel=large small_part.c
  build_module pic '' pic.c:-fPIC
  build_module every_relocation '' every_relocation.S absolute.S
  build_module erratum '' erratum.S
}

for style in 4.6 6.1 6.12; do
  style_of "$style"
  mkdir "$OUT/$style"
  build_kernel
  install -m 644 "$TMP/vmlinux" "$OUT/$style/vmlinux"
  "${PREFIX}objcopy" -O binary "$TMP/vmlinux" "$OUT/$style/Image"
  build_modules
done
# 64 KiB between segments: nine tenths of this Image are zeros.
gzip -9n "$OUT/6.12/Image"

sha256sum samples/kernel/* samples/module/* scripts/build-samples.sh scripts/kallsyms.mjs >"$OUT/SOURCES.sha256"
for tool in "${PREFIX}gcc" "${PREFIX}ld.bfd" ld.lld gzip; do
  "$tool" --version | head -n 1
done >"$OUT/TOOLCHAIN"

rm -rf "${TARGET:?}"/{4.6,6.1,6.12}
cp -R "$OUT/." "$TARGET"
