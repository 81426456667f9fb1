<?php

// Mints what lines of stdin ask for, with the minter of the directory that is given, and answers each with a line.

require "$argv[1]/clickproof.php";

while (($line = fgets(STDIN)) !== false) {
    $ask = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
    try {
        $minter = new Clickproof\Minter($ask['keys'], $ask['base_url']);
        $rest = array_key_exists('url', $ask) ? [$ask['url']] : [];
        $href = $minter->{$ask['kind']}($ask['copy'], $ask['link_id'], ...$rest);
        $answer = ['href' => $href, 'headers' => Clickproof\unsubscribe_headers($href)];
    } catch (InvalidArgumentException $error) {
        $answer = ['error' => $error->getMessage()];
    }
    echo json_encode($answer, JSON_THROW_ON_ERROR), "\n";
}
