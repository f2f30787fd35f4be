//! The canonical codec from its rules (COD-001 to COD-004), over plain values; the binding's own part is tested from Python.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::verbose_bit_mask)]

use std::vec::Drain;

use yunhe_core::codec::{Builder, DEPTH_MAX, DecodeError, EncodeError, Encoder, Fault, INTEGER_KEYS_MAX, decode};

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Self>),
    Map(Vec<(Self, Self)>),
}

struct Values;

impl Builder for Values {
    type Value = Value;
    type Error = DecodeError;

    fn boolean(&mut self, value: bool) -> Result<Value, DecodeError> {
        Ok(Value::Boolean(value))
    }

    fn null(&mut self) -> Result<Value, DecodeError> {
        Ok(Value::Null)
    }

    fn integer(&mut self, value: i64) -> Result<Value, DecodeError> {
        Ok(Value::Integer(value))
    }

    fn bytes(&mut self, value: &[u8]) -> Result<Value, DecodeError> {
        Ok(Value::Bytes(value.to_vec()))
    }

    fn text(&mut self, value: &str) -> Result<Value, DecodeError> {
        Ok(Value::Text(value.to_owned()))
    }

    fn array(&mut self, items: Drain<'_, Value>) -> Result<Value, DecodeError> {
        Ok(Value::Array(items.collect()))
    }

    fn map(&mut self, mut entries: Drain<'_, Value>) -> Result<Value, DecodeError> {
        let mut map = Vec::new();
        while let (Some(key), Some(value)) = (entries.next(), entries.next()) {
            map.push((key, value));
        }
        Ok(Value::Map(map))
    }
}

fn decoded(data: &[u8]) -> Result<Value, DecodeError> {
    decode(data, &mut Values)
}

fn write(encoder: &mut Encoder, value: &Value) -> Result<(), EncodeError> {
    match value {
        Value::Null => encoder.null(),
        Value::Boolean(boolean) => encoder.boolean(*boolean),
        Value::Integer(number) => encoder.integer(*number),
        Value::Bytes(bytes) => encoder.bytes(bytes),
        Value::Text(text) => encoder.text(text),
        Value::Array(items) => {
            encoder.begin_array(items.len())?;
            items.iter().try_for_each(|item| write(encoder, item))?;
            encoder.end_array();
        }
        Value::Map(entries) => {
            let mut map = encoder.begin_map(entries.len())?;
            for (key, value) in entries {
                let start = encoder.as_bytes().len();
                write(encoder, key)?;
                encoder.key_done(&mut map, start);
                write(encoder, value)?;
            }
            encoder.end_map(&map)?;
        }
    }
    Ok(())
}

fn encoded(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = Encoder::new();
    write(&mut encoder, value)?;
    Ok(encoder.as_bytes().to_vec())
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    (0..hexadecimal.len()).step_by(2).map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap()).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The value that a JSON text of the vectors means.
fn meant(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(boolean) => Value::Boolean(*boolean),
        serde_json::Value::Number(number) => Value::Integer(number.as_i64().unwrap()),
        serde_json::Value::String(string) => text(string),
        serde_json::Value::Array(items) => Value::Array(items.iter().map(meant).collect()),
        serde_json::Value::Object(entries) => Value::Map(entries.iter().map(|(key, value)| (text(key), meant(value))).collect()),
    }
}

fn rfc8949() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../tests/vectors/cbor_rfc8949.json")).unwrap()
}

#[test]
fn rfc8949_examples_round_trip() {
    let vectors = rfc8949();
    for case in vectors["accepted"].as_array().unwrap() {
        let value = meant(&serde_json::from_str(case[0].as_str().unwrap()).unwrap());
        let encoding = bytes(case[1].as_str().unwrap());
        assert_eq!(encoded(&value).unwrap(), encoding, "{case}");
        assert_eq!(decoded(&encoding).unwrap(), value, "{case}");
    }
}

#[test]
fn rfc8949_examples_outside_the_subset_are_refused_by_their_rule() {
    let vectors = rfc8949();
    for case in vectors["refused"].as_array().unwrap() {
        let error = decoded(&bytes(case[0].as_str().unwrap())).unwrap_err();
        assert!(error.to_string().starts_with(case[1].as_str().unwrap()), "{case}: {error}");
    }
}

#[test]
fn integers_take_the_shortest_head_at_every_boundary() {
    for (number, encoding) in [
        (23, "17"),
        (24, "1818"),
        (255, "18ff"),
        (256, "190100"),
        (65_535, "19ffff"),
        (65_536, "1a00010000"),
        (4_294_967_295, "1affffffff"),
        (4_294_967_296, "1b0000000100000000"),
        (i64::MAX, "1b7fffffffffffffff"),
        (-1, "20"),
        (-24, "37"),
        (-25, "3818"),
        (-4_294_967_296, "3affffffff"),
        (-4_294_967_297, "3b0000000100000000"),
        (i64::MIN, "3b7fffffffffffffff"),
    ] {
        assert_eq!(encoded(&Value::Integer(number)).unwrap(), bytes(encoding));
        assert_eq!(decoded(&bytes(encoding)).unwrap(), Value::Integer(number));
    }
}

// COD-001 to COD-004: what is refused, why, and the offset at which the fault lies.
const REFUSED: &[(&str, Fault, usize)] = &[
    ("", Fault::Missing, 0),
    ("8201", Fault::LongerThanInput, 0),
    ("82010018", Fault::Trailing, 3),
    ("0000", Fault::Trailing, 1),
    ("18", Fault::HeadCut, 0),
    ("811900", Fault::HeadCut, 1),
    ("1b00000000000000", Fault::HeadCut, 0),
    ("1817", Fault::NotShortest, 0),
    ("1900ff", Fault::NotShortest, 0),
    ("1a0000ffff", Fault::NotShortest, 0),
    ("1b00000000ffffffff", Fault::NotShortest, 0),
    ("5800", Fault::NotShortest, 0),
    ("1c", Fault::IndefiniteOrReserved, 0),
    ("9f00ff", Fault::IndefiniteOrReserved, 0),
    ("1b8000000000000000", Fault::IntegerRange, 0),
    ("813b8000000000000000", Fault::IntegerRange, 1),
    ("61ff", Fault::NotUtf8, 0),
    ("63eda080", Fault::NotUtf8, 0),
    ("62c080", Fault::NotUtf8, 0),
    ("c000", Fault::NotAllowed, 0),
    ("f7", Fault::NotAllowed, 0),
    ("f814", Fault::NotAllowed, 0),
    ("fa00000000", Fault::NotAllowed, 0),
    ("ff", Fault::NotAllowed, 0),
    ("a14100f6", Fault::KeyType, 1),
    ("a180f6", Fault::KeyType, 1),
    ("a1f5f6", Fault::KeyType, 1),
    ("a26162f66161f6", Fault::KeyOrder, 4),
    ("a26161f66161f6", Fault::KeyOrder, 4),
    ("a2626161f66162f6", Fault::KeyOrder, 5),
    ("a26161f600f6", Fault::KeyOrder, 4),
    ("6261", Fault::LongerThanInput, 0),
    ("a10000a0", Fault::Trailing, 3),
    ("a100", Fault::LongerThanInput, 0),
];

#[test]
fn bytes_that_are_not_canonical_are_refused_with_reason_and_offset() {
    for &(data, fault, offset) in REFUSED {
        assert_eq!(decoded(&bytes(data)), Err(DecodeError { fault, offset }), "{data}");
    }
}

// COD-004: nothing of a claimed size is made before the size is compared with what is left.
#[test]
fn sizes_far_beyond_the_input_are_refused_at_once() {
    for initial in ["5b", "7b", "9b", "bb"] {
        for size in ["1000000000000000", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff"] {
            let error = decoded(&bytes(&format!("{initial}{size}"))).unwrap_err();
            assert_eq!(error, DecodeError { fault: Fault::LongerThanInput, offset: 0 });
        }
    }
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(Value::Array(Vec::new()), |inner, _| Value::Array(vec![inner]))
}

// COD-003
#[test]
fn containers_nest_to_the_limit_and_no_deeper() {
    let deepest = encoded(&nested(DEPTH_MAX)).unwrap();
    assert_eq!(decoded(&deepest).unwrap(), nested(DEPTH_MAX));
    assert_eq!(encoded(&nested(DEPTH_MAX + 1)), Err(EncodeError::TooDeep));
    let too_deep = [vec![0x81], deepest].concat();
    assert_eq!(decoded(&too_deep), Err(DecodeError { fault: Fault::TooDeep, offset: DEPTH_MAX }));
    assert_eq!(decoded(&vec![0x81; 1_000_000]), Err(DecodeError { fault: Fault::TooDeep, offset: DEPTH_MAX }));
}

// COD-003: the limit is on containers in one another, not on their number.
#[test]
fn containers_beside_each_other_are_not_nested() {
    let side_by_side = Value::Array(vec![Value::Map(vec![(text("a"), nested(DEPTH_MAX - 2))]); 100]);
    assert_eq!(decoded(&encoded(&side_by_side).unwrap()).unwrap(), side_by_side);
}

// COD-006
#[test]
fn maps_have_integer_keys_to_the_limit_and_no_more() {
    let map = |count: usize| {
        let numbers = (0..i64::try_from(count).unwrap()).map(|number| (Value::Integer(number - 500), Value::Null));
        Value::Map(numbers.chain([(text("a"), Value::Null)]).collect())
    };
    let fullest = encoded(&map(INTEGER_KEYS_MAX)).unwrap();
    assert!(decoded(&fullest).is_ok());
    assert_eq!(encoded(&map(INTEGER_KEYS_MAX + 1)), Err(EncodeError::IntegerKeys));
    // One text key less and one integer key more: a head of the same length, and another first entry.
    let mut too_many = fullest;
    too_many.truncate(too_many.len() - 3);
    too_many.extend(bytes("397ffff6"));
    assert_eq!(decoded(&too_many).unwrap_err().fault, Fault::IntegerKeys);
}

// COD-001
#[test]
fn maps_are_written_in_bytewise_order_at_every_level() {
    let inner = Value::Map(vec![(Value::Integer(-1), Value::Null), (Value::Integer(100), Value::Null), (Value::Integer(2), Value::Null)]);
    let map = Value::Map(vec![(text("aa"), Value::Null), (text("b"), inner), (Value::Integer(7), text("x")), (text("a"), Value::Null)]);
    assert_eq!(encoded(&map).unwrap(), bytes("a40761786161f66162a302f61864f620f6626161f6"));
}

// COD-001
#[test]
fn keys_that_encode_alike_are_refused_wherever_they_stand() {
    for keys in [&["a", "a"][..], &["a", "b", "a"], &["b", "a", "b"]] {
        let map = Value::Map(keys.iter().map(|key| (text(key), Value::Null)).collect());
        assert_eq!(encoded(&map), Err(EncodeError::KeyTwice), "{keys:?}");
    }
}

#[test]
fn any_bytes_are_refused_or_are_the_one_encoding_of_their_value() {
    // A linear congruential generator (Knuth, MMIX): the same bytes in every run. Heads are made frequent by the mask.
    let mut state = 1_u64;
    let mut accepted = 0;
    for round in 0..200_000_usize {
        let data: Vec<u8> = (0..round % 12)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let byte = (state >> 56) as u8;
                if state >> 40 & 3 == 0 { byte } else { byte & 0xe3 }
            })
            .collect();
        if let Ok(value) = decoded(&data) {
            assert_eq!(encoded(&value).unwrap(), data);
            accepted += 1;
        }
    }
    assert!(accepted > 1000, "only {accepted} inputs were accepted: they no longer exercise the decoder");
}
