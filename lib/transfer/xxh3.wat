;; The long part of XXH3-128, for inputs of more than 240 bytes, with 128-bit SIMD. It follows
;; the published algorithm (xxHash, doc/xxhash_spec.md, "XXH3"): the names in quotes are its terms.
;; `deno task wasm` compiles this to xxh3_wasm.ts.
;;
;; Memory: 0 the eight accumulators, 64 the default "secret", 256 the digest (low half, high half, both
;; little-endian), 960 the 64 bytes before the window, 1024 the window that xxh3.ts fills.
(module
  (memory (export "memory") 2)
  (data (i32.const 64)
    "\b8\fe\6c\39\23\a4\4b\be\7c\01\81\2c\f7\21\ad\1c\de\d4\6d\e9\83\90\97\db"
    "\72\40\a4\a4\b7\b3\67\1f\cb\79\e6\4e\cc\c0\e5\78\82\5a\d0\7d\cc\ff\72\21"
    "\b8\08\46\74\f7\43\24\8e\e0\35\90\e6\81\3a\26\4c\3c\28\52\bb\91\c3\00\cb"
    "\88\d0\65\8b\1b\53\2e\a3\71\64\48\97\a2\0d\f9\4e\38\19\ef\46\a9\de\ac\d8"
    "\a8\fa\76\3f\e3\9c\34\3f\f9\dc\bb\c7\c7\0b\4f\1d\8a\51\e0\4b\cd\b4\59\31"
    "\c8\9f\7e\c9\d9\78\73\64\ea\c5\ac\83\34\d3\eb\c3\c5\81\a0\ff\fa\13\63\eb"
    "\17\0d\dd\51\b7\f0\da\49\d3\16\55\26\29\d4\68\9e\2b\16\be\58\7d\47\a1\fc"
    "\8f\f8\b8\d1\7a\d0\31\ce\45\cb\3a\8f\95\16\04\28\af\d7\fb\ca\bb\4b\40\7e"
  )

  ;; Sets the accumulators to where a digest begins.
  (func (export "begin")
    (v128.store (i32.const 0) (v128.const i64x2 0xC2B2AE3D 0x9E3779B185EBCA87))
    (v128.store (i32.const 16) (v128.const i64x2 0xC2B2AE3D27D4EB4F 0x165667B19E3779F9))
    (v128.store (i32.const 32) (v128.const i64x2 0x85EBCA77C2B2AE63 0x85EBCA77))
    (v128.store (i32.const 48) (v128.const i64x2 0x27D4EB2F165667C5 0x9E3779B1)))

  ;; "Accumulate" for `count` stripes of 64 bytes; the secret moves on by 8 bytes a stripe. What the
  ;; specification adds to the neighbouring lane is summed apart and swapped once at the end; products
  ;; are made for two vectors at a time, which saves shuffles.
  (func $stripes (param $at i32) (param $count i32) (param $key i32)
    (local $acc0 v128) (local $acc1 v128) (local $acc2 v128) (local $acc3 v128)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128)
    (local $data v128) (local $even v128) (local $odd v128) (local $low v128) (local $high v128)
    (if (i32.eqz (local.get $count)) (then (return)))
    (local.set $acc0 (v128.load (i32.const 0)))
    (local.set $acc1 (v128.load (i32.const 16)))
    (local.set $acc2 (v128.load (i32.const 32)))
    (local.set $acc3 (v128.load (i32.const 48)))
    (loop $next
      (local.set $data (v128.load offset=0 (local.get $at)))
      (local.set $sum0 (i64x2.add (local.get $sum0) (local.get $data)))
      (local.set $even (v128.xor (local.get $data) (v128.load offset=0 (local.get $key))))
      (local.set $data (v128.load offset=16 (local.get $at)))
      (local.set $sum1 (i64x2.add (local.get $sum1) (local.get $data)))
      (local.set $odd (v128.xor (local.get $data) (v128.load offset=16 (local.get $key))))
      (local.set $low (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
        (local.get $even) (local.get $odd)))
      (local.set $high (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
        (local.get $even) (local.get $odd)))
      (local.set $acc0 (i64x2.add (local.get $acc0)
        (i64x2.extmul_low_i32x4_u (local.get $low) (local.get $high))))
      (local.set $acc1 (i64x2.add (local.get $acc1)
        (i64x2.extmul_high_i32x4_u (local.get $low) (local.get $high))))
      (local.set $data (v128.load offset=32 (local.get $at)))
      (local.set $sum2 (i64x2.add (local.get $sum2) (local.get $data)))
      (local.set $even (v128.xor (local.get $data) (v128.load offset=32 (local.get $key))))
      (local.set $data (v128.load offset=48 (local.get $at)))
      (local.set $sum3 (i64x2.add (local.get $sum3) (local.get $data)))
      (local.set $odd (v128.xor (local.get $data) (v128.load offset=48 (local.get $key))))
      (local.set $low (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
        (local.get $even) (local.get $odd)))
      (local.set $high (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31
        (local.get $even) (local.get $odd)))
      (local.set $acc2 (i64x2.add (local.get $acc2)
        (i64x2.extmul_low_i32x4_u (local.get $low) (local.get $high))))
      (local.set $acc3 (i64x2.add (local.get $acc3)
        (i64x2.extmul_high_i32x4_u (local.get $low) (local.get $high))))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (local.set $key (i32.add (local.get $key) (i32.const 8)))
      (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
    (v128.store (i32.const 0) (i64x2.add (local.get $acc0)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $sum0) (local.get $sum0))))
    (v128.store (i32.const 16) (i64x2.add (local.get $acc1)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $sum1) (local.get $sum1))))
    (v128.store (i32.const 32) (i64x2.add (local.get $acc2)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $sum2) (local.get $sum2))))
    (v128.store (i32.const 48) (i64x2.add (local.get $acc3)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $sum3) (local.get $sum3)))))

  ;; "Scramble" for the two lanes at `at`, with the secret from 128 on.
  (func $scramble (param $at i32)
    (v128.store (local.get $at) (i64x2.mul
      (v128.xor
        (v128.xor (v128.load (local.get $at))
          (i64x2.shr_u (v128.load (local.get $at)) (i32.const 47)))
        (v128.load offset=192 (local.get $at)))
      (v128.const i64x2 0x9E3779B1 0x9E3779B1))))

  ;; Takes `count` whole blocks of 1024 bytes.
  (func (export "blocks") (param $at i32) (param $count i32)
    (loop $next
      (if (i32.eqz (local.get $count)) (then (return)))
      (call $stripes (local.get $at) (i32.const 16) (i32.const 64))
      (call $scramble (i32.const 0))
      (call $scramble (i32.const 16))
      (call $scramble (i32.const 32))
      (call $scramble (i32.const 48))
      (local.set $at (i32.add (local.get $at) (i32.const 1024)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))

  ;; Both halves of the 128-bit product, joined by XOR.
  (func $fold (param $x i64) (param $y i64) (result i64)
    (local $lo i64) (local $mid i64) (local $mid2 i64)
    (local.set $lo (i64.mul
      (i64.and (local.get $x) (i64.const 0xffffffff))
      (i64.and (local.get $y) (i64.const 0xffffffff))))
    (local.set $mid (i64.add
      (i64.mul (i64.shr_u (local.get $x) (i64.const 32)) (i64.and (local.get $y) (i64.const 0xffffffff)))
      (i64.shr_u (local.get $lo) (i64.const 32))))
    (local.set $mid2 (i64.add
      (i64.mul (i64.and (local.get $x) (i64.const 0xffffffff)) (i64.shr_u (local.get $y) (i64.const 32)))
      (i64.and (local.get $mid) (i64.const 0xffffffff))))
    (i64.xor
      (i64.or (i64.shl (local.get $mid2) (i64.const 32)) (i64.and (local.get $lo) (i64.const 0xffffffff)))
      (i64.add
        (i64.mul (i64.shr_u (local.get $x) (i64.const 32)) (i64.shr_u (local.get $y) (i64.const 32)))
        (i64.add (i64.shr_u (local.get $mid) (i64.const 32)) (i64.shr_u (local.get $mid2) (i64.const 32))))))

  ;; Two lanes of the accumulators with 16 bytes of the secret.
  (func $lanes (param $at i32) (param $key i32) (result i64)
    (call $fold
      (i64.xor (i64.load (local.get $at)) (i64.load (local.get $key)))
      (i64.xor (i64.load offset=8 (local.get $at)) (i64.load offset=8 (local.get $key)))))

  ;; "Merge accumulators" and "avalanche", from `hash` on.
  (func $merge (param $key i32) (param $hash i64) (result i64)
    (local.set $hash (i64.add (local.get $hash) (i64.add
      (i64.add
        (call $lanes (i32.const 0) (local.get $key))
        (call $lanes (i32.const 16) (i32.add (local.get $key) (i32.const 16))))
      (i64.add
        (call $lanes (i32.const 32) (i32.add (local.get $key) (i32.const 32)))
        (call $lanes (i32.const 48) (i32.add (local.get $key) (i32.const 48)))))))
    (local.set $hash (i64.mul
      (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 37)))
      (i64.const 0x165667919E3779F9)))
    (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 32))))

  ;; Ends the digest of `total` bytes with the last `count` of them, 1 to 1024; the 64 bytes before
  ;; the input's end are taken once more, from before `at` if need be.
  (func (export "end") (param $at i32) (param $count i32) (param $total f64)
    (local $length i64)
    (call $stripes (local.get $at)
      (i32.shr_u (i32.sub (local.get $count) (i32.const 1)) (i32.const 6)) (i32.const 64))
    (call $stripes
      (i32.sub (i32.add (local.get $at) (local.get $count)) (i32.const 64)) (i32.const 1) (i32.const 185))
    (local.set $length (i64.trunc_f64_u (local.get $total)))
    (i64.store (i32.const 256) (call $merge (i32.const 75)
      (i64.mul (local.get $length) (i64.const 0x9E3779B185EBCA87))))
    (i64.store (i32.const 264) (call $merge (i32.const 181)
      (i64.xor (i64.mul (local.get $length) (i64.const 0xC2B2AE3D27D4EB4F)) (i64.const -1)))))
)
