//! SNS' PublishBatch: a form in, XML out, entries by their id.

use modstream_stub_server::{Answer, Request};

use super::{Parts, failing};

const ENTRY: &str = "PublishBatchRequestEntries.member.";

pub(super) fn split(request: &Request, pattern: &[bool]) -> Option<Parts> {
    let form = request.text();
    // A field of an entry: the entry's number, what follows it, the value.
    let field = |pair: &str| -> Option<(usize, String)> {
        let (number, rest) = pair.strip_prefix(ENTRY)?.split_once('.')?;
        Some((number.parse().ok()?, rest.to_owned()))
    };
    let entries = form.split('&').filter_map(field).map(|(number, _)| number).max()?;
    let fails = failing(pattern, entries);
    let failed = fails.iter().filter(|fails| **fails).count();
    if failed == 0 {
        return None;
    }
    let mut kept = Vec::new();
    let mut ids = Vec::new();
    for pair in form.split('&') {
        match field(pair) {
            None => kept.push(pair.to_owned()),
            Some((number, rest)) if fails.get(number - 1) == Some(&true) => {
                ids.extend(rest.strip_prefix("Id=").map(str::to_owned));
            }
            Some((number, rest)) => {
                let number = fails[..number].iter().filter(|fails| !**fails).count();
                kept.push(format!("{ENTRY}{number}.{rest}"));
            }
        }
    }
    let rest = (failed < entries).then(|| Request { body: kept.join("&").into_bytes(), ..request.clone() });
    let merge = move |answer: Answer| merged(&answer, &ids);
    Some(Parts { failed, rest, nothing, merge: Box::new(merge) })
}

const RESULT: &str = "<PublishBatchResult>";

fn nothing() -> Answer {
    let answer = format!("<PublishBatchResponse>{RESULT}</PublishBatchResult></PublishBatchResponse>");
    Answer::new(200, answer).header("content-type", "text/xml")
}

fn merged(answer: &Answer, ids: &[String]) -> Answer {
    let failed: String = ids
        .iter()
        .map(|id| {
            format!(
                "<member><Id>{id}</Id><Code>InternalError</Code><Message>By plan.</Message>\
                 <SenderFault>false</SenderFault></member>"
            )
        })
        .collect();
    let mut said = String::from_utf8_lossy(answer.body()).into_owned();
    for none in ["<Failed/>", "<Failed />", "<Failed></Failed>"] {
        said = said.replace(none, "");
    }
    answer.clone().with_body(said.replacen(RESULT, &format!("{RESULT}<Failed>{failed}</Failed>"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Request {
        let entry =
            |number: usize| format!("&{ENTRY}{number}.Id={}&{ENTRY}{number}.Message=m{}", number - 1, number - 1);
        let body = format!("Action=PublishBatch&TopicArn=t{}", (1..=3).map(entry).collect::<String>());
        Request { method: "POST".to_owned(), target: "/".to_owned(), headers: Vec::new(), body: body.into_bytes() }
    }

    #[test]
    fn entries_that_fail_are_not_sent_on_and_are_among_the_failed() {
        let parts = split(&call(), &[true, false]).expect("two fail");
        let rest = parts.rest.expect("another").text();
        assert_eq!(rest, format!("Action=PublishBatch&TopicArn=t&{ENTRY}1.Id=1&{ENTRY}1.Message=m1"));
        let answer = "<R><PublishBatchResult><Successful><member><Id>1</Id></member></Successful><Failed/></PublishBatchResult></R>";
        let merged = (parts.merge)(Answer::new(200, answer));
        let said = String::from_utf8_lossy(merged.body()).into_owned();
        assert!(said.contains("<Successful><member><Id>1</Id></member></Successful>"), "{said}");
        assert!(said.contains("<Id>0</Id><Code>InternalError</Code>") && said.contains("<Id>2</Id><Code>"), "{said}");
        assert_eq!((parts.failed, said.matches("<Failed").count()), (2, 1));
    }

    #[test]
    fn where_all_fail_nothing_is_sent_on_and_where_none_does_the_call_passes() {
        let parts = split(&call(), &[true]).expect("all fail");
        assert_eq!((parts.failed, parts.rest.is_none()), (3, true));
        let said = String::from_utf8_lossy((parts.merge)((parts.nothing)()).body()).into_owned();
        assert_eq!(said.matches("<SenderFault>false</SenderFault>").count(), 3);
        assert!(split(&call(), &[false]).is_none() && split(&call(), &[]).is_none());
    }
}
