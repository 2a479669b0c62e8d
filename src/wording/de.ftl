## Chat: was bei einem Fehler gesagt wird

nobody = Unter dieser Adresse ist hier niemand bekannt.
