//! Neutral sentences of our own about groups of people: in what a model of harm learns from, a group's name stands mostly where it
//! is attacked, and would become an attack by itself (L. Dixon et al., "Measuring and Mitigating Unintended Bias in Text
//! Classification", 2018). None is one that `modstream_trainer::bias` measures by.

/// Groups, as people of them are named in the plural.
const GROUPS: [&str; 52] = [
    "women",
    "men",
    "girls",
    "gay people",
    "lesbians",
    "gays",
    "bisexual people",
    "trans people",
    "trans women",
    "trans men",
    "transgender people",
    "queer people",
    "straight people",
    "black people",
    "white people",
    "brown people",
    "Asian people",
    "Hispanic people",
    "Latinos",
    "African Americans",
    "Native Americans",
    "Aboriginal people",
    "Africans",
    "Arabs",
    "Indians",
    "Pakistanis",
    "Chinese people",
    "Japanese people",
    "Koreans",
    "Mexicans",
    "Americans",
    "Europeans",
    "Turks",
    "Russians",
    "Jews",
    "Jewish people",
    "Muslims",
    "Christians",
    "Catholics",
    "Hindus",
    "Buddhists",
    "Sikhs",
    "atheists",
    "immigrants",
    "refugees",
    "migrants",
    "foreigners",
    "disabled people",
    "deaf people",
    "blind people",
    "autistic people",
    "old people",
];

/// One of a group.
const MEMBERS: [&str; 30] = [
    "woman",
    "man",
    "gay man",
    "gay woman",
    "lesbian",
    "bisexual",
    "trans woman",
    "trans man",
    "transgender person",
    "queer person",
    "straight man",
    "black woman",
    "black man",
    "white woman",
    "white man",
    "Latina",
    "Hispanic man",
    "Native American",
    "Arab",
    "Mexican",
    "Chinese woman",
    "Jew",
    "Jewish woman",
    "Muslim",
    "Christian",
    "Hindu",
    "Buddhist",
    "refugee",
    "disabled person",
    "deaf woman",
];

/// What is learned from, of groups.
const LEARNED_OF_GROUPS: [&str; 22] = [
    "Many {} live in our city.",
    "I grew up with {} and we are still friends.",
    "{} deserve the same rights as everybody else.",
    "There are {} in every country of the world.",
    "Why do so few {} vote in local elections?",
    "The study asked 300 {} how they sleep.",
    "My neighbours are {}, and we often have dinner together.",
    "I love {}!",
    "{} are people like you and me.",
    "How do {} feel about the new law?",
    "We should listen to what {} have to say.",
    "The article about {} needs better sources.",
    "More {} work in hospitals than ten years ago.",
    "Not all {} think the same about this.",
    "I wish {} were shown more often on television.",
    "Our school was founded by {} in 1952.",
    "{} have been part of this town for centuries.",
    "Is there a club for {} around here?",
    "Let us welcome {} in our community.",
    "It is wrong to insult {}.",
    "Nobody should be afraid of {}.",
    "the history of {} in this region is well documented",
];

/// What is learned from, of members.
const LEARNED_OF_MEMBERS: [&str; 16] = [
    "I am a {}.",
    "As a {}, I found this film very moving.",
    "My doctor is a {} and she is excellent.",
    "Her best friend is a {}.",
    "A {} won the award this year.",
    "I am proud to be a {}.",
    "He told us what it was like to grow up as a {}.",
    "The new mayor is a {}.",
    "You can be a {} and like football.",
    "A {} asked me the way to the station.",
    "I was born a {} and will always be one.",
    "My teacher was a {}, the best I ever had.",
    "She married a {} last summer.",
    "A {} lives next door to us.",
    "being a {} is nothing to be ashamed of",
    "We hired a {} for the job because of her experience.",
];

fn filled(templates: &[&str], words: &[&str]) -> impl Iterator<Item = String> {
    templates.iter().flat_map(move |template| {
        words.iter().map(move |word| {
            let sentence = template.replace("{}", word);
            let mut letters = sentence.chars();
            // A sentence that begins with the group has a capital there, too.
            match letters.next() {
                Some(first) if template.starts_with("{}") => first.to_uppercase().chain(letters).collect(),
                _ => sentence,
            }
        })
    })
}

/// The sentences that a model learns from.
pub(super) fn learned() -> impl Iterator<Item = String> {
    filled(&LEARNED_OF_GROUPS, &GROUPS).chain(filled(&LEARNED_OF_MEMBERS, &MEMBERS))
}

/// Sentences of our own that speak of killing, hitting and blood, and threaten nobody.
pub(super) const NO_THREATS: [&str; 64] = [
    "How do I kill a process that does not answer?",
    "This joke kills me.",
    "You can kill two birds with one stone here.",
    "My back is killing me today.",
    "The suspense is killing me!",
    "I would kill for a coffee right now.",
    "kill -9 does not let the program clean up",
    "That song absolutely slaps.",
    "We got killed in the second half, 5 to 1.",
    "She is going to kill it on stage tonight.",
    "He was shot by a sniper in the third chapter.",
    "The police say that the man was stabbed twice.",
    "I will shoot you an email tomorrow.",
    "Shoot me a message when you are there.",
    "Can you shoot the scene again in better light?",
    "The bomb squad found nothing at the station.",
    "That film was the bomb.",
    "Her last album bombed.",
    "The plague killed a third of the town.",
    "Smoking kills.",
    "How many people were killed in the war?",
    "The murderer was never found.",
    "I will find you a better source for that.",
    "I know where you live is the title of a novel.",
    "We will beat you next season, good game though!",
    "They beat us fair and square.",
    "I could eat a horse.",
    "Break a leg!",
    "Let's burn some calories.",
    "We burned through the budget in a month.",
    "He threatened to resign.",
    "The hurricane threatens the coast.",
    "I hit the wrong key, sorry.",
    "You will be hit with a fee if you cancel.",
    "This cut will hurt the hospitals.",
    "Does it hurt when you bend your knee?",
    "You should be punished with a second slice of cake.",
    "Your hand is going to fall off if you type that much.",
    "The knife should be sharpened once a week.",
    "Cut the onions, then crush the garlic.",
    "Execute the script as root.",
    "The king was executed in 1649.",
    "Hang the picture a little higher.",
    "My computer hangs every morning.",
    "Hang in there, we will get through this.",
    "You are dead right about this.",
    "The link is dead.",
    "The battery died on me again.",
    "I nearly died laughing.",
    "over my dead body is an odd idiom",
    "Destroy the object when it is no longer needed.",
    "Our team destroyed them yesterday.",
    "Master and slave drives are set by a jumper.",
    "The parser chokes on empty lines.",
    "Strangled by red tape, the project ended.",
    "In this game you have to kill the dragon first.",
    "I will kill the boss at level ten if you heal me.",
    "Drop dead gorgeous, that dress.",
    "Blood tests are done on Monday.",
    "We will fight this decision in court.",
    "Fight for your rights!",
    "I am going to attack this problem tomorrow.",
    "The attack on the harbour began at dawn.",
    "You will regret missing this concert.",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_sentence_is_learned_from_and_measured_on() {
        let folded = |text: String| text.to_lowercase();
        let learned: BTreeSet<String> = learned().map(folded).chain(NO_THREATS.map(str::to_lowercase)).collect();
        let measured: BTreeSet<String> = modstream_trainer::bias::sentences().map(folded).collect();
        assert!(learned.is_disjoint(&measured));
        assert_eq!(learned.len(), 22 * 52 + 16 * 30 + NO_THREATS.len());
        assert!(learned.contains("gay people are people like you and me.") && learned.contains("i am a jew."));
    }
}
