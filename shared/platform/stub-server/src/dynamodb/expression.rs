//! DynamoDB's [expressions](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html), as far as programs
//! here write them.

use std::cmp::Ordering;
use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Item;

/// An expression, read from the front.
pub(super) struct Expression<'a> {
    words: VecDeque<&'a str>,
    names: &'a Value,
    values: &'a Value,
}

impl<'a> Expression<'a> {
    /// The expression of a call's member; none where it has none.
    pub(super) fn of(body: &'a Value, member: &str) -> Result<Option<Self>, String> {
        let Some(text) = body[member].as_str() else { return Ok(None) };
        let (names, values) = (&body["ExpressionAttributeNames"], &body["ExpressionAttributeValues"]);
        Ok(Some(Expression { words: words(text)?, names, values }))
    }

    /// Whether it holds of an item, or of none. It can be asked of one after another.
    pub(super) fn holds(&mut self, item: Option<&Item>) -> Result<bool, String> {
        let words = self.words.clone();
        let holds = self.any(item);
        let rest = std::mem::replace(&mut self.words, words);
        match rest.front() {
            Some(word) if holds.is_ok() => Err(format!("`{word}` stands where an expression ends")),
            _ => holds,
        }
    }

    /// The item with the update made.
    pub(super) fn applied(&mut self, mut item: Item) -> Result<Item, String> {
        // What is there before counts in all of it.
        let before = item.clone();
        while let Some(clause) = self.words.pop_front() {
            loop {
                let name = self.name()?;
                match clause {
                    "SET" => {
                        self.expect("=")?;
                        let value = self.operand(Some(&before))?.ok_or("an attribute is set to nothing")?;
                        item.insert(name, value);
                    }
                    "REMOVE" => drop(item.remove(&name)),
                    "ADD" => {
                        let added = self.operand(None)?.ok_or("nothing is added")?;
                        let sum = sum(before.get(&name), &added)?;
                        item.insert(name, sum);
                    }
                    other => return Err(format!("no clause `{other}` here")),
                }
                if self.words.front() != Some(&",") {
                    break;
                }
                self.words.pop_front();
            }
        }
        Ok(item)
    }

    fn expect(&mut self, wanted: &str) -> Result<(), String> {
        match self.words.pop_front() {
            Some(word) if word == wanted => Ok(()),
            found => Err(format!("{found:?} stands where `{wanted}` must")),
        }
    }

    fn next_is(&mut self, wanted: &str) -> bool {
        let is = self.words.front() == Some(&wanted);
        if is {
            self.words.pop_front();
        }
        is
    }

    fn name(&mut self) -> Result<String, String> {
        let word = self.words.pop_front().ok_or("a name is missing")?;
        self.names[word].as_str().map(str::to_owned).ok_or_else(|| format!("`{word}` is the placeholder of no name"))
    }

    /// A value, or the attribute of a name, which may be missing.
    fn operand(&mut self, item: Option<&Item>) -> Result<Option<Value>, String> {
        match self.words.front() {
            Some(word) if word.starts_with(':') => {
                let value = self.values.get(*word).cloned();
                let value = value.ok_or_else(|| format!("`{word}` is the placeholder of no value"))?;
                self.words.pop_front();
                Ok(Some(value))
            }
            _ => {
                let name = self.name()?;
                Ok(item.and_then(|item| item.get(&name)).cloned())
            }
        }
    }

    fn any(&mut self, item: Option<&Item>) -> Result<bool, String> {
        let mut holds = self.all(item)?;
        while self.next_is("OR") {
            holds |= self.all(item)?;
        }
        Ok(holds)
    }

    fn all(&mut self, item: Option<&Item>) -> Result<bool, String> {
        let mut holds = self.one(item)?;
        while self.next_is("AND") {
            holds &= self.one(item)?;
        }
        Ok(holds)
    }

    fn one(&mut self, item: Option<&Item>) -> Result<bool, String> {
        if self.next_is("(") {
            let holds = self.any(item)?;
            self.expect(")")?;
            return Ok(holds);
        }
        let function = self.words.front().copied().filter(|word| !word.starts_with(['#', ':']));
        if let Some(function) = function {
            self.words.pop_front();
            self.expect("(")?;
            let first = self.operand(item)?;
            let second = if self.next_is(",") { self.operand(item)? } else { None };
            self.expect(")")?;
            return Ok(match function {
                "attribute_exists" => first.is_some(),
                "attribute_not_exists" => first.is_none(),
                "attribute_type" => {
                    let kind = second.as_ref().and_then(|kind| kind["S"].as_str()).unwrap_or_default();
                    first.is_some_and(|value| value.get(kind).is_some())
                }
                "begins_with" => both(&first, &second, "S").is_some_and(|(text, start)| text.starts_with(start)),
                other => return Err(format!("no function `{other}` here")),
            });
        }
        let one = self.operand(item)?;
        let sign = self.words.pop_front().ok_or("a comparison is missing")?;
        let other = self.operand(item)?;
        let order = compare(one.as_ref(), other.as_ref());
        Ok(match sign {
            "=" => one.is_some() && one == other,
            "<" => order == Some(Ordering::Less),
            "<=" => order.is_some_and(Ordering::is_le),
            ">" => order == Some(Ordering::Greater),
            ">=" => order.is_some_and(Ordering::is_ge),
            "BETWEEN" => {
                self.expect("AND")?;
                let last = self.operand(item)?;
                order.is_some_and(Ordering::is_ge) && compare(one.as_ref(), last.as_ref()).is_some_and(Ordering::is_le)
            }
            other => return Err(format!("no comparison `{other}` here")),
        })
    }
}

fn words(text: &str) -> Result<VecDeque<&str>, String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '#' | ':' | '_');
    let mut words = VecDeque::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '(' | ')' | ',' | '=' => 1,
            '<' | '>' => 1 + usize::from(rest[1..].starts_with('=')),
            _ => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        };
        if end == 0 {
            return Err(format!("`{rest}` is no part of an expression here"));
        }
        words.push_back(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    Ok(words)
}

/// Both of one type.
fn both<'a>(one: &'a Option<Value>, other: &'a Option<Value>, kind: &str) -> Option<(&'a str, &'a str)> {
    Some((one.as_ref()?[kind].as_str()?, other.as_ref()?[kind].as_str()?))
}

/// Which of two values is the less; none where they are not of one type, or have no order.
pub(super) fn compare(one: Option<&Value>, other: Option<&Value>) -> Option<Ordering> {
    let (one, other) = (one?, other?);
    let of = |value: &Value, kind: &str| value[kind].as_str().map(str::to_owned);
    if let (Some(one), Some(other)) = (of(one, "N"), of(other, "N")) {
        return Some(one.parse::<i64>().ok()?.cmp(&other.parse().ok()?));
    }
    if let (Some(one), Some(other)) = (of(one, "B"), of(other, "B")) {
        return Some(STANDARD.decode(one).ok()?.cmp(&STANDARD.decode(other).ok()?));
    }
    Some(of(one, "S")?.cmp(&of(other, "S")?))
}

/// A number with one added.
fn sum(there: Option<&Value>, added: &Value) -> Result<Value, String> {
    let number = |value: &Value| value["N"].as_str().and_then(|digits| digits.parse::<i64>().ok());
    let more = number(added).ok_or("what is added is no number")?;
    let before = there.map_or(Some(0), number).ok_or("a number is added to what is none")?;
    let sum = before.checked_add(more).ok_or("a sum is too large")?;
    Ok(json!({ "N": sum.to_string() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(expression: &str) -> Value {
        json!({
            "Expression": expression,
            "ExpressionAttributeNames": {"#n0": "a", "#n1": "b", "#n2": "c", "#n3": "none"},
            "ExpressionAttributeValues": {":v0": {"S": "x"}, ":v1": {"N": "9"}, ":v2": {"N": "10"}, ":v3": {"S": "N"}},
        })
    }

    fn item() -> Item {
        let item = json!({ "a": {"S": "xyz"}, "b": {"N": "10"}, "c": {"S": "x"} });
        item.as_object().expect("an object").clone()
    }

    #[test]
    fn conditions_hold_as_dynamodb_has_them() {
        for (expression, of_item, of_none) in [
            ("attribute_exists(#n0)", true, false),
            ("attribute_not_exists(#n3)", true, true),
            // As numbers 9 is less than 10.
            ("#n1 > :v1 AND #n1 <= :v2", true, false),
            ("#n1 < :v1 OR #n0 = :v0 OR attribute_not_exists(#n3)", true, true),
            ("begins_with(#n0, :v0)", true, false),
            ("attribute_type(#n1, :v3)", true, false),
            ("attribute_type(#n2, :v3)", false, false),
            ("(attribute_not_exists(#n0) OR #n1 BETWEEN :v1 AND :v2) AND #n2 = :v0", true, false),
            // A text is neither more nor less than a number.
            ("#n0 >= :v1", false, false),
        ] {
            let body = body(expression);
            let mut read = Expression::of(&body, "Expression").expect(expression).expect("there");
            assert_eq!(read.holds(Some(&item())), Ok(of_item), "{expression}");
            assert_eq!(read.holds(None), Ok(of_none), "{expression}");
        }
        for expression in ["", "#n0", "#n0 =", "size(#n0) > :v1", "#n9 = :v0", "#n0 = :v0 :v0", "(#n0 = :v0", "a.b"] {
            let body = body(expression);
            let read = Expression::of(&body, "Expression").map(|read| read.expect("there").holds(None));
            assert!(!matches!(read, Ok(Ok(_))), "{expression}: {read:?}");
        }
    }

    #[test]
    fn updates_are_made_of_what_was_there() {
        let body = body("SET #n0 = :v0, #n3 = #n0 REMOVE #n2 ADD #n1 :v1");
        let mut update = Expression::of(&body, "Expression").expect("reads").expect("there");
        let wanted = json!({ "a": {"S": "x"}, "b": {"N": "19"}, "none": {"S": "xyz"} });
        assert_eq!(Value::from(update.applied(item()).expect("made")), wanted);
        let body = self::body("ADD #n1 :v1, #n3 :v2");
        let mut update = Expression::of(&body, "Expression").expect("reads").expect("there");
        let made = update.applied(item()).expect("made");
        assert_eq!((&made["b"], &made["none"]), (&json!({"N": "19"}), &json!({"N": "10"})));
        for expression in ["ADD #n2 :v1", "ADD #n1 :v0"] {
            let body = self::body(expression);
            let mut update = Expression::of(&body, "Expression").expect("reads").expect("there");
            assert!(update.applied(item()).is_err(), "{expression}");
        }
    }
}
