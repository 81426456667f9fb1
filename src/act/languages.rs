//! The languages of the page, and which of them a visitor reads (`Accept-Language`, RFC 9110 §12.5.4).

/// What the page says, in one language.
#[derive(Debug)]
pub struct Language {
    /// Its tag, for `lang`.
    pub tag: &'static str,
    /// For links that unsubscribe.
    pub unsubscribe: Words,
    /// For links that confirm.
    pub confirm: Words,
    /// The heading where the button must be pressed again.
    pub again: &'static str,
    /// Why: the press was too quick, or the page too old.
    pub again_text: &'static str,
    /// The heading where nothing can be stored at the moment.
    pub unavailable: &'static str,
    /// What to do about it.
    pub unavailable_text: &'static str,
    /// The link to where a confirmation leads.
    pub go_on: &'static str,
}

/// What the page says of one thing to do.
#[derive(Debug)]
pub struct Words {
    /// The heading before it is done.
    pub ask: &'static str,
    /// What the button does.
    pub ask_text: &'static str,
    /// The button.
    pub button: &'static str,
    /// The heading once it is done.
    pub done: &'static str,
    /// What that means.
    pub done_text: &'static str,
}

/// Every language, the default first.
pub static LANGUAGES: [Language; 8] = [
    Language {
        tag: "en",
        unsubscribe: Words {
            ask: "Unsubscribe?",
            ask_text: "Press the button to stop receiving these emails.",
            button: "Unsubscribe",
            done: "You are unsubscribed",
            done_text: "You will no longer receive these emails. You can close this page.",
        },
        confirm: Words {
            ask: "Please confirm",
            ask_text: "Press the button to confirm.",
            button: "Confirm",
            done: "Thank you",
            done_text: "Your confirmation has been received.",
        },
        again: "Please press once more",
        again_text: "That was too quick, or this page had been open for too long. Nothing has happened yet.",
        unavailable: "Please try again in a minute",
        unavailable_text: "This could not be saved just now.",
        go_on: "Continue",
    },
    Language {
        tag: "de",
        unsubscribe: Words {
            ask: "Abmelden?",
            ask_text: "Mit dem Knopf bestellen Sie diese Mails ab.",
            button: "Abmelden",
            done: "Sie sind abgemeldet",
            done_text: "Sie erhalten diese Mails nicht mehr. Sie können diese Seite schließen.",
        },
        confirm: Words {
            ask: "Bitte bestätigen",
            ask_text: "Bestätigen Sie mit dem Knopf.",
            button: "Bestätigen",
            done: "Vielen Dank",
            done_text: "Ihre Bestätigung ist eingegangen.",
        },
        again: "Bitte noch einmal drücken",
        again_text: "Das war zu schnell, oder diese Seite war zu lange offen. Bisher ist nichts geschehen.",
        unavailable: "Bitte versuchen Sie es in einer Minute noch einmal",
        unavailable_text: "Das ließ sich gerade nicht speichern.",
        go_on: "Weiter",
    },
    Language {
        tag: "fr",
        unsubscribe: Words {
            ask: "Se désabonner ?",
            ask_text: "Appuyez sur le bouton pour ne plus recevoir ces messages.",
            button: "Se désabonner",
            done: "Désabonnement effectué",
            done_text: "Vous ne recevrez plus ces messages. Vous pouvez fermer cette page.",
        },
        confirm: Words {
            ask: "Veuillez confirmer",
            ask_text: "Appuyez sur le bouton pour confirmer.",
            button: "Confirmer",
            done: "Merci",
            done_text: "Votre confirmation est bien arrivée.",
        },
        again: "Veuillez appuyer encore une fois",
        again_text: "C’était trop rapide, ou cette page était ouverte depuis trop longtemps. Rien n’a encore été fait.",
        unavailable: "Veuillez réessayer dans une minute",
        unavailable_text: "L’enregistrement n’est pas possible pour le moment.",
        go_on: "Continuer",
    },
    Language {
        tag: "es",
        unsubscribe: Words {
            ask: "¿Darse de baja?",
            ask_text: "Pulse el botón para dejar de recibir estos correos.",
            button: "Darse de baja",
            done: "Se ha dado de baja",
            done_text: "Ya no recibirá estos correos. Puede cerrar esta página.",
        },
        confirm: Words {
            ask: "Confirme, por favor",
            ask_text: "Pulse el botón para confirmar.",
            button: "Confirmar",
            done: "Gracias",
            done_text: "Hemos recibido su confirmación.",
        },
        again: "Pulse otra vez, por favor",
        again_text: "Fue demasiado rápido, o esta página llevaba abierta demasiado tiempo. Todavía no ha pasado nada.",
        unavailable: "Inténtelo de nuevo dentro de un minuto",
        unavailable_text: "Ahora mismo no se ha podido guardar.",
        go_on: "Continuar",
    },
    Language {
        tag: "it",
        unsubscribe: Words {
            ask: "Annullare l’iscrizione?",
            ask_text: "Premi il pulsante per non ricevere più questi messaggi.",
            button: "Annulla l’iscrizione",
            done: "Iscrizione annullata",
            done_text: "Non riceverai più questi messaggi. Puoi chiudere questa pagina.",
        },
        confirm: Words {
            ask: "Conferma",
            ask_text: "Premi il pulsante per confermare.",
            button: "Conferma",
            done: "Grazie",
            done_text: "La tua conferma è arrivata.",
        },
        again: "Premi ancora una volta",
        again_text: "È stato troppo veloce, o questa pagina era aperta da troppo tempo. Finora non è successo nulla.",
        unavailable: "Riprova tra un minuto",
        unavailable_text: "Al momento non è stato possibile salvare.",
        go_on: "Continua",
    },
    Language {
        tag: "nl",
        unsubscribe: Words {
            ask: "Uitschrijven?",
            ask_text: "Druk op de knop om deze mails niet meer te ontvangen.",
            button: "Uitschrijven",
            done: "Je bent uitgeschreven",
            done_text: "Je ontvangt deze mails niet meer. Je kunt deze pagina sluiten.",
        },
        confirm: Words {
            ask: "Bevestig alsjeblieft",
            ask_text: "Druk op de knop om te bevestigen.",
            button: "Bevestigen",
            done: "Bedankt",
            done_text: "Je bevestiging is ontvangen.",
        },
        again: "Druk nog een keer",
        again_text: "Dat ging te snel, of deze pagina stond te lang open. Er is nog niets gebeurd.",
        unavailable: "Probeer het over een minuut opnieuw",
        unavailable_text: "Dit kon nu niet worden opgeslagen.",
        go_on: "Verder",
    },
    Language {
        tag: "pt",
        unsubscribe: Words {
            ask: "Cancelar a subscrição?",
            ask_text: "Prima o botão para deixar de receber estas mensagens.",
            button: "Cancelar a subscrição",
            done: "Subscrição cancelada",
            done_text: "Não receberá mais estas mensagens. Pode fechar esta página.",
        },
        confirm: Words {
            ask: "Confirme, por favor",
            ask_text: "Prima o botão para confirmar.",
            button: "Confirmar",
            done: "Obrigado",
            done_text: "Recebemos a sua confirmação.",
        },
        again: "Prima mais uma vez, por favor",
        again_text: "Foi rápido demais, ou esta página esteve aberta demasiado tempo. Ainda não aconteceu nada.",
        unavailable: "Tente novamente dentro de um minuto",
        unavailable_text: "Não foi possível guardar neste momento.",
        go_on: "Continuar",
    },
    Language {
        tag: "pl",
        unsubscribe: Words {
            ask: "Wypisać się?",
            ask_text: "Naciśnij przycisk, aby nie otrzymywać więcej tych wiadomości.",
            button: "Wypisz mnie",
            done: "Wypisano",
            done_text: "Nie będziesz już otrzymywać tych wiadomości. Możesz zamknąć tę stronę.",
        },
        confirm: Words {
            ask: "Prosimy o potwierdzenie",
            ask_text: "Naciśnij przycisk, aby potwierdzić.",
            button: "Potwierdzam",
            done: "Dziękujemy",
            done_text: "Otrzymaliśmy potwierdzenie.",
        },
        again: "Naciśnij jeszcze raz",
        again_text: "To było za szybko albo strona była otwarta zbyt długo. Nic się jeszcze nie stało.",
        unavailable: "Spróbuj ponownie za minutę",
        unavailable_text: "Nie udało się teraz tego zapisać.",
        go_on: "Dalej",
    },
];

/// The language that the visitor likes best, by the weights of an `Accept-Language` header and, among equals, by its
/// order. A region is its language (`de-AT` is `de`); `*` and a header that says nothing are English.
#[must_use]
pub fn negotiate(header: Option<&str>) -> &'static Language {
    let (mut best, mut best_weight) = (&LANGUAGES[0], 0);
    for range in header.unwrap_or_default().split(',') {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default();
        let primary = tag.split('-').next().unwrap_or_default();
        let known = LANGUAGES.iter().find(|language| language.tag.eq_ignore_ascii_case(primary));
        let known = known.or_else(|| (tag == "*").then_some(&LANGUAGES[0]));
        let weight =
            parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q="))).map_or(1_000, weight);
        if let Some(language) = known.filter(|_| weight > best_weight) {
            (best, best_weight) = (language, weight);
        }
    }
    best
}

/// A weight from 0 to 1 with up to three decimals, in thousandths; what is none weighs nothing.
fn weight(text: &str) -> u32 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    let thousandths =
        decimals.bytes().chain([b'0'; 3]).take(3).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    match whole {
        "0" => thousandths,
        "1" if thousandths == 0 => 1_000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_visitors_favourite_is_spoken() {
        for (header, expected) in [
            (None, "en"),
            (Some(""), "en"),
            (Some("*"), "en"),
            (Some("de"), "de"),
            (Some("de-AT"), "de"),
            (Some("DE-at"), "de"),
            (Some("pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7"), "pt"),
            (Some("ja,fr;q=0.5,en;q=0.4"), "fr"),
            (Some("en;q=0.4, fr;q=0.5"), "fr"),
            (Some("en;q=0.5,fr;q=0.501"), "fr"),
            (Some("nl;q=0.8,pl;q=0.8"), "nl"),
            (Some("it ; q=0.3 , es ; q=0.9"), "es"),
            (Some("es;q=0,it;q=0.1"), "it"),
            (Some("de;q=0"), "en"),
            (Some("ja, zh"), "en"),
            (Some("*, de;q=0.5"), "en"),
            (Some("de;q=0.9, *;q=0.1"), "de"),
            (Some("den, deu, d"), "en"),
            (Some("de;q=2, fr;q=0.1"), "fr"),
            (Some("de;q=1.5, fr;q=0.1"), "fr"),
            (Some("de;q=-1, fr;q=0.0001, es;q=x"), "en"),
            (Some("de;q=.5, fr;q=1."), "fr"),
            (Some(",,;;q=1,pl"), "pl"),
        ] {
            assert_eq!(negotiate(header).tag, expected, "{header:?}");
        }
    }

    #[test]
    fn nothing_is_left_untranslated() {
        let all = |language: &Language| {
            let words =
                |words: &Words| [words.ask, words.ask_text, words.button, words.done, words.done_text];
            let Language {
                unsubscribe,
                confirm,
                again,
                again_text,
                unavailable,
                unavailable_text,
                go_on,
                ..
            } = language;
            let own = [again, again_text, unavailable, unavailable_text, go_on].map(|text| *text);
            [words(unsubscribe), words(confirm), own].concat()
        };
        for language in &LANGUAGES[1..] {
            for (text, english) in all(language).into_iter().zip(all(&LANGUAGES[0])) {
                assert!(!text.is_empty() && text != english, "{}: {text}", language.tag);
                assert!(!text.contains(['<', '>', '&', '"', '\'']), "{}: {text}", language.tag);
            }
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(header in "[a-z*;=q,.0-9 -]{0,60}|.{0,60}") {
            let _ = negotiate(Some(&header));
        }
    }
}
