// The languages of the pages that visitors see, and which of them a visitor reads (`Accept-Language`, RFC 9110 §12.5.4).

/**
 * What the pages say, by the language's tag; the default comes first.
 *
 * - `unsubscribe`, `confirm`: links that act. The heading before it is done, what the button does, the button; the heading once it is
 *   done, and what that means. An unsubscription can be taken back: the question, its button, and what is said then
 * - `again`: the press was too quick, or the page too old; `unavailable`: nothing can be stored at the moment
 * - `go_on`: the link to where a confirmation leads
 * - `missing`: there is no such link; `home`: the way to the sender's own site
 * - `links`: what the host is, at its root; without and with the sender's name, what is counted, and who is told of abuse
 */
export const LANGUAGES = {
  en: {
    unsubscribe: {
      ask: "Unsubscribe?",
      ask_text: "Press the button to stop receiving these emails.",
      button: "Unsubscribe",
      done: "You are unsubscribed",
      done_text: "You will no longer receive these emails. You can close this page.",
      regret: "Was that a mistake?",
      undo: "Subscribe again",
      undone: "You are subscribed again",
      undone_text: "You will go on receiving these emails. You can close this page.",
    },
    confirm: {
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
    missing: "This link does not work",
    missing_text: "It may have been cut or changed on its way. Try the link in the original message again.",
    home: "Go to the home page",
    links: "Links in emails",
    from_somebody: "Links in emails lead through this address to where they say.",
    from_brand: "Links in emails from {brand} lead through this address to where they say.",
    counted: "That somebody followed them is counted, and whether it was a person or a mail scanner.",
    abuse: "To report abuse:",
  },
  de: {
    unsubscribe: {
      ask: "Abmelden?",
      ask_text: "Mit dem Knopf bestellen Sie diese Mails ab.",
      button: "Abmelden",
      done: "Sie sind abgemeldet",
      done_text: "Sie erhalten diese Mails nicht mehr. Sie können diese Seite schließen.",
      regret: "War das ein Versehen?",
      undo: "Wieder anmelden",
      undone: "Sie sind wieder angemeldet",
      undone_text: "Sie erhalten diese Mails weiterhin. Sie können diese Seite schließen.",
    },
    confirm: {
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
    missing: "Dieser Link funktioniert nicht",
    missing_text:
      "Vielleicht wurde er unterwegs abgeschnitten oder verändert. Versuchen Sie es noch einmal mit dem Link in der ursprünglichen Nachricht.",
    home: "Zur Startseite",
    links: "Links in Mails",
    from_somebody: "Links in Mails führen über diese Adresse zu ihrem Ziel.",
    from_brand: "Links in Mails von {brand} führen über diese Adresse zu ihrem Ziel.",
    counted: "Gezählt wird, dass ihnen jemand gefolgt ist, und ob das ein Mensch oder ein Mailscanner war.",
    abuse: "Missbrauch melden:",
  },
  fr: {
    unsubscribe: {
      ask: "Se désabonner ?",
      ask_text: "Appuyez sur le bouton pour ne plus recevoir ces messages.",
      button: "Se désabonner",
      done: "Désabonnement effectué",
      done_text: "Vous ne recevrez plus ces messages. Vous pouvez fermer cette page.",
      regret: "C’était une erreur ?",
      undo: "Se réabonner",
      undone: "Vous êtes de nouveau abonné",
      undone_text: "Vous continuerez à recevoir ces messages. Vous pouvez fermer cette page.",
    },
    confirm: {
      ask: "Veuillez confirmer",
      ask_text: "Appuyez sur le bouton pour confirmer.",
      button: "Confirmer",
      done: "Merci",
      done_text: "Votre confirmation est bien arrivée.",
    },
    again: "Veuillez appuyer encore une fois",
    again_text:
      "C’était trop rapide, ou cette page était ouverte depuis trop longtemps. Rien n’a encore été fait.",
    unavailable: "Veuillez réessayer dans une minute",
    unavailable_text: "L’enregistrement n’est pas possible pour le moment.",
    go_on: "Continuer",
    missing: "Ce lien ne fonctionne pas",
    missing_text:
      "Il a peut-être été coupé ou modifié en chemin. Essayez de nouveau le lien du message d’origine.",
    home: "Aller à la page d’accueil",
    links: "Liens dans les messages",
    from_somebody: "Les liens des messages passent par cette adresse pour mener à leur destination.",
    from_brand: "Les liens des messages de {brand} passent par cette adresse pour mener à leur destination.",
    counted:
      "Il est compté qu’ils ont été suivis, et si c’était par une personne ou par un analyseur de courrier.",
    abuse: "Signaler un abus :",
  },
  es: {
    unsubscribe: {
      ask: "¿Darse de baja?",
      ask_text: "Pulse el botón para dejar de recibir estos correos.",
      button: "Darse de baja",
      done: "Se ha dado de baja",
      done_text: "Ya no recibirá estos correos. Puede cerrar esta página.",
      regret: "¿Ha sido un error?",
      undo: "Volver a suscribirse",
      undone: "Su suscripción sigue activa",
      undone_text: "Seguirá recibiendo estos correos. Puede cerrar esta página.",
    },
    confirm: {
      ask: "Confirme, por favor",
      ask_text: "Pulse el botón para confirmar.",
      button: "Confirmar",
      done: "Gracias",
      done_text: "Hemos recibido su confirmación.",
    },
    again: "Pulse otra vez, por favor",
    again_text:
      "Fue demasiado rápido, o esta página llevaba abierta demasiado tiempo. Todavía no ha pasado nada.",
    unavailable: "Inténtelo de nuevo dentro de un minuto",
    unavailable_text: "Ahora mismo no se ha podido guardar.",
    go_on: "Continuar",
    missing: "Este enlace no funciona",
    missing_text:
      "Puede que se haya cortado o cambiado por el camino. Pruebe otra vez con el enlace del mensaje original.",
    home: "Ir a la página de inicio",
    links: "Enlaces en correos",
    from_somebody: "Los enlaces de los correos pasan por esta dirección hacia su destino.",
    from_brand: "Los enlaces de los correos de {brand} pasan por esta dirección hacia su destino.",
    counted: "Se cuenta que alguien los ha seguido, y si fue una persona o un analizador de correo.",
    abuse: "Denunciar un abuso:",
  },
  it: {
    unsubscribe: {
      ask: "Annullare l’iscrizione?",
      ask_text: "Premi il pulsante per non ricevere più questi messaggi.",
      button: "Annulla l’iscrizione",
      done: "Iscrizione annullata",
      done_text: "Non riceverai più questi messaggi. Puoi chiudere questa pagina.",
      regret: "È stato un errore?",
      undo: "Iscriviti di nuovo",
      undone: "La tua iscrizione è di nuovo attiva",
      undone_text: "Continuerai a ricevere questi messaggi. Puoi chiudere questa pagina.",
    },
    confirm: {
      ask: "Conferma",
      ask_text: "Premi il pulsante per confermare.",
      button: "Conferma",
      done: "Grazie",
      done_text: "La tua conferma è arrivata.",
    },
    again: "Premi ancora una volta",
    again_text:
      "È stato troppo veloce, o questa pagina era aperta da troppo tempo. Finora non è successo nulla.",
    unavailable: "Riprova tra un minuto",
    unavailable_text: "Al momento non è stato possibile salvare.",
    go_on: "Continua",
    missing: "Questo link non funziona",
    missing_text:
      "Forse è stato tagliato o modificato lungo la strada. Riprova con il link nel messaggio originale.",
    home: "Vai alla pagina iniziale",
    links: "Link nei messaggi",
    from_somebody: "I link nei messaggi passano da questo indirizzo per arrivare a destinazione.",
    from_brand: "I link nei messaggi di {brand} passano da questo indirizzo per arrivare a destinazione.",
    counted: "Si conta che qualcuno li ha seguiti, e se era una persona o uno scanner di posta.",
    abuse: "Per segnalare un abuso:",
  },
  nl: {
    unsubscribe: {
      ask: "Uitschrijven?",
      ask_text: "Druk op de knop om deze mails niet meer te ontvangen.",
      button: "Uitschrijven",
      done: "Je bent uitgeschreven",
      done_text: "Je ontvangt deze mails niet meer. Je kunt deze pagina sluiten.",
      regret: "Was dat een vergissing?",
      undo: "Opnieuw inschrijven",
      undone: "Je bent weer ingeschreven",
      undone_text: "Je blijft deze mails ontvangen. Je kunt deze pagina sluiten.",
    },
    confirm: {
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
    missing: "Deze link werkt niet",
    missing_text:
      "Misschien is hij onderweg afgebroken of veranderd. Probeer de link in het oorspronkelijke bericht nog eens.",
    home: "Naar de startpagina",
    links: "Links in mails",
    from_somebody: "Links in mails leiden via dit adres naar hun doel.",
    from_brand: "Links in mails van {brand} leiden via dit adres naar hun doel.",
    counted: "Geteld wordt dat iemand ze heeft gevolgd, en of dat een mens of een mailscanner was.",
    abuse: "Misbruik melden:",
  },
  pt: {
    unsubscribe: {
      ask: "Cancelar a subscrição?",
      ask_text: "Prima o botão para deixar de receber estas mensagens.",
      button: "Cancelar a subscrição",
      done: "Subscrição cancelada",
      done_text: "Não receberá mais estas mensagens. Pode fechar esta página.",
      regret: "Foi engano?",
      undo: "Subscrever de novo",
      undone: "A sua subscrição está de novo ativa",
      undone_text: "Continuará a receber estas mensagens. Pode fechar esta página.",
    },
    confirm: {
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
    missing: "Esta ligação não funciona",
    missing_text:
      "Pode ter sido cortada ou alterada pelo caminho. Tente de novo a ligação da mensagem original.",
    home: "Ir para a página inicial",
    links: "Ligações em mensagens",
    from_somebody: "As ligações das mensagens passam por este endereço até ao seu destino.",
    from_brand: "As ligações das mensagens de {brand} passam por este endereço até ao seu destino.",
    counted: "Conta-se que alguém as seguiu, e se foi uma pessoa ou um analisador de correio.",
    abuse: "Denunciar um abuso:",
  },
  pl: {
    unsubscribe: {
      ask: "Wypisać się?",
      ask_text: "Naciśnij przycisk, aby nie otrzymywać więcej tych wiadomości.",
      button: "Wypisz mnie",
      done: "Wypisano",
      done_text: "Nie będziesz już otrzymywać tych wiadomości. Możesz zamknąć tę stronę.",
      regret: "To była pomyłka?",
      undo: "Zapisz mnie ponownie",
      undone: "Subskrypcja została przywrócona",
      undone_text: "Nadal będziesz otrzymywać te wiadomości. Możesz zamknąć tę stronę.",
    },
    confirm: {
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
    missing: "Ten link nie działa",
    missing_text:
      "Mógł zostać po drodze ucięty lub zmieniony. Spróbuj jeszcze raz użyć linku z oryginalnej wiadomości.",
    home: "Przejdź na stronę główną",
    links: "Linki w wiadomościach",
    from_somebody: "Linki w wiadomościach prowadzą przez ten adres do celu.",
    from_brand: "Linki w wiadomościach od {brand} prowadzą przez ten adres do celu.",
    counted: "Zliczane jest, że ktoś ich użył, i czy był to człowiek, czy skaner poczty.",
    abuse: "Zgłoś nadużycie:",
  },
};

/**
 * The tag of the language that the visitor likes best, by the weights of an `Accept-Language` header and, among equals, by its
 * order. A region is its language (`de-AT` is `de`); `*` and a header that says nothing are English.
 */
export function negotiate(header) {
  let best = "en";
  let most = 0;
  for (const range of (header ?? "").split(",")) {
    const [tag, ...parameters] = range.split(";").map((part) => part.trim());
    const primary = tag === "*" ? "en" : tag.split("-")[0].toLowerCase();
    const quality = parameters.find((parameter) => /^q=/i.test(parameter));
    const weight = quality === undefined ? 1 : weightOf(quality.slice(2));
    if (Object.hasOwn(LANGUAGES, primary) && weight > most) [best, most] = [primary, weight];
  }
  return best;
}

/** A weight from 0 to 1 with up to three decimals; what is none weighs nothing. */
const weightOf = (written) => (/^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(written) ? Number(written) : 0);
